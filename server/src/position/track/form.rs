//! How points of a track stand in `positions.db`. The first byte says the form; what another program wrote is never taken
//! for something else.

use domain::moment::UtcMillis;
use domain::place::Point;

use super::super::{Step, TrackPoint};

/// The form written now.
const FORM: u8 = 2;

/// One person's points as a difference each from the one before: milliseconds, millionths of a degree twice, and the
/// direction in 128ths of a turn with a bit for moving.
type Difference = (i64, i32, i32, u8);

fn flags(moving: bool, heading_deg: f32) -> u8 {
    let heading = ((heading_deg / 360.0 * 128.0).round() as i64).rem_euclid(128) as u8;
    heading << 1 | u8::from(moving)
}

/// Makes differences, or adds them up again.
#[derive(Default)]
struct Last(i64, i32, i32);

impl Last {
    fn to(&mut self, point: &TrackPoint) -> Difference {
        let at = (point.fixed.0, point.place.lat_e6(), point.place.lon_e6());
        let (time, lat, lon) =
            (at.0.wrapping_sub(self.0), at.1.wrapping_sub(self.1), at.2.wrapping_sub(self.2));
        *self = Self(at.0, at.1, at.2);
        (time, lat, lon, flags(point.moving, point.heading_deg))
    }

    /// None where no place on the globe comes out.
    fn add(&mut self, (time, lat, lon, flags): Difference) -> Option<TrackPoint> {
        *self = Self(self.0.wrapping_add(time), self.1.wrapping_add(lat), self.2.wrapping_add(lon));
        let place = Point::from_e6(self.1, self.2)?;
        let heading_deg = f32::from(flags >> 1) * 360.0 / 128.0;
        Some(TrackPoint { place, fixed: UtcMillis(self.0), moving: flags & 1 != 0, heading_deg })
    }
}

fn written(rows: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_extend(rows, vec![FORM]).expect("numbers have a postcard form and a Vec grows")
}

/// What follows the form's byte; none where another form stands there, or no rows of this one.
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<Vec<T>> {
    postcard::from_bytes(bytes.strip_prefix(&[FORM])?).ok()
}

/// Points of one person.
pub fn pack(points: &[TrackPoint]) -> Vec<u8> {
    let mut last = Last::default();
    written(&points.iter().map(|point| last.to(point)).collect::<Vec<Difference>>())
}

/// The reverse of [`pack`]; none for a form that is not known.
pub fn unpack(bytes: &[u8]) -> Option<Vec<TrackPoint>> {
    let mut last = Last::default();
    Some(read::<Difference>(bytes)?.into_iter().filter_map(|row| last.add(row)).collect())
}

/// Steps of many, by number.
pub fn pack_flush(steps: &[Step]) -> Vec<u8> {
    let mut last = Last::default();
    written(
        &steps.iter().map(|step| (step.index, last.to(&step.point()))).collect::<Vec<(u32, Difference)>>(),
    )
}

/// The reverse of [`pack_flush`].
pub fn unpack_flush(bytes: &[u8]) -> Option<Vec<(u32, TrackPoint)>> {
    Some(added_up(read(bytes)?))
}

/// What the first version wrote, chunks and flushes alike: no byte for the form, and a number in each row.
pub fn unpack_first(bytes: &[u8]) -> Vec<(u32, TrackPoint)> {
    let rows: Vec<(u32, i64, i32, i32, u8)> = postcard::from_bytes(bytes).unwrap_or_default();
    added_up(
        rows.into_iter().map(|(index, time, lat, lon, flags)| (index, (time, lat, lon, flags))).collect(),
    )
}

fn added_up(rows: Vec<(u32, Difference)>) -> Vec<(u32, TrackPoint)> {
    let mut last = Last::default();
    rows.into_iter().filter_map(|(index, row)| Some((index, last.add(row)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(ms: i64, lat: f64, heading_deg: f32) -> TrackPoint {
        let place = Point::from_degrees(lat, 102.7).unwrap();
        TrackPoint { place, fixed: UtcMillis(1_795_226_400_000 + ms), moving: ms % 2 == 0, heading_deg }
    }

    #[test]
    fn what_is_packed_is_read_again_and_its_first_byte_is_its_form() {
        let points = [point(0, 25.0, 0.0), point(1_000, 25.0001, 90.0), point(1_001, -25.0, 270.0)];
        let bytes = pack(&points);
        assert_eq!(bytes[0], 2);
        assert!(bytes.len() < 40, "{}", bytes.len());
        assert_eq!(unpack(&bytes).unwrap(), points);
        let step = |index, point: &TrackPoint| Step {
            index,
            place: point.place,
            fixed: point.fixed,
            moving: point.moving,
            heading_deg: point.heading_deg,
        };
        let flush = pack_flush(&[step(7, &points[0]), step(9, &points[1])]);
        assert_eq!(unpack_flush(&flush).unwrap(), [(7, points[0].clone()), (9, points[1].clone())]);
        let later = [&[3], &bytes[1..]].concat();
        assert_eq!(unpack(&later), None, "a form of a later version is not guessed at");
        assert_eq!(unpack(&[]), None);
    }
}
