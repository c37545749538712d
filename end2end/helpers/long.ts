// The one place that asks whether this is a long run (`cargo xtask test --long`).

const LONG = process.env.GRIDHALL_LONG !== undefined;

/**
 * What a long run holds the product to; the everyday run, which shares its cores with whatever else there is, asserts
 * the looser bound.
 */
export function bound(everyday: number, long: number): number {
  return LONG ? long : everyday;
}
