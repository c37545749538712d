// Cases that wait for dispatch, reported through the door machines use.
import { randomUUID } from 'node:crypto';
import type { Hall } from './server';

export interface Catalogue {
  areas: { code: string; level: string }[];
  classes: { code: string }[];
  sources: { code: string }[];
  departments: { code: string }[];
}

export interface Spot {
  lat: number;
  lon: number;
}

interface Taken {
  taken?: { case: number; number: string };
}

/** Reports, accepts and files a case, with an address no other test uses; it then waits for dispatch. */
export async function waiting_case(hall: Hall, place: Spot | null = null, within?: string): Promise<{ id: number; address: string }> {
  const catalogue = (await hall.get('/api/v1/catalogue')) as Catalogue;
  const address = `试验路 ${randomUUID().slice(0, 8)} 号`;
  const area = catalogue.areas.find(({ level }) => level === 'district') ?? catalogue.areas[0];
  const report = {
    source: catalogue.sources[0]?.code,
    class: catalogue.classes[0]?.code,
    area: within ?? area?.code,
    address,
    description: '井盖破损',
    place,
  };
  const [reported] = (await hall.commands([{ report_case: { report } }])) as Taken[];
  const id = reported?.taken?.case;
  if (id === undefined) throw new Error(`case not reported: ${JSON.stringify(reported)}`);
  await hall.commands([{ accept_case: { case: id } }, { file_case: { case: id } }]);
  return { id, address };
}
