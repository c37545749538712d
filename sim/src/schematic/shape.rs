//! Lattice geometry of the schematic: whole-number points, simple outlines, splitting along a path.
//!
//! Whole numbers make shared borders exactly shared. Degrees appear only in [`Spot::ground`].

use domain::place::Point;

/// A lattice point in steps of 200 m, x east and y south.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    pub x: i32,
    pub y: i32,
}

/// Metres per lattice step.
pub const STEP_M: f64 = 200.0;
/// The spot where the four inner districts meet, and where it lies on the ground.
pub const CENTRE: Spot = Spot { x: 92, y: 74 };
const CENTRE_LAT: f64 = 25.045;
const CENTRE_LON: f64 = 102.712;
/// Metres per degree of latitude on the sphere that `Point::distance_m` uses.
const METRES_PER_DEGREE: f64 = 111_195.08;

impl Spot {
    /// The point in WGS-84. Plane at city scale: the error in angles stays under a tenth of a degree.
    #[must_use]
    pub fn ground(self) -> Point {
        let north = f64::from(CENTRE.y - self.y) * STEP_M / METRES_PER_DEGREE;
        let east =
            f64::from(self.x - CENTRE.x) * STEP_M / (METRES_PER_DEGREE * CENTRE_LAT.to_radians().cos());
        Point::from_degrees(CENTRE_LAT + north, CENTRE_LON + east).expect("the lattice lies near Kunming")
    }

    /// The lattice position of a point on the ground, in fractions of a step.
    #[must_use]
    pub fn of_ground(point: Point) -> (f64, f64) {
        let x = (point.lon() - CENTRE_LON) * METRES_PER_DEGREE * CENTRE_LAT.to_radians().cos() / STEP_M;
        let y = (CENTRE_LAT - point.lat()) * METRES_PER_DEGREE / STEP_M;
        (f64::from(CENTRE.x) + x, f64::from(CENTRE.y) + y)
    }

    /// Single steps from here to `end`, both included; `None` unless the way runs at 0, 45 or 90 degrees.
    #[must_use]
    pub fn walk(self, end: Spot) -> Option<Vec<Spot>> {
        let (dx, dy) = (end.x - self.x, end.y - self.y);
        if dx != 0 && dy != 0 && dx.abs() != dy.abs() {
            return None;
        }
        let steps = dx.abs().max(dy.abs());
        let at = |i| Spot { x: self.x + dx.signum() * i, y: self.y + dy.signum() * i };
        Some((0..=steps).map(at).collect())
    }
}

/// Where a point lies with respect to an outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Inside,
    Border,
    Outside,
}

/// Which side of the outline the point is on. Even-odd rule, exact for whole numbers.
#[must_use]
pub fn side(outline: &[Spot], point: Spot) -> Side {
    let mut inside = false;
    for (a, b) in edges(outline) {
        if on_segment(a, b, point) {
            return Side::Border;
        }
        if (a.y > point.y) != (b.y > point.y) {
            let cross = i64::from(b.x - a.x) * i64::from(point.y - a.y)
                - i64::from(point.x - a.x) * i64::from(b.y - a.y);
            if (cross > 0) == (b.y > a.y) {
                inside = !inside;
            }
        }
    }
    if inside { Side::Inside } else { Side::Outside }
}

/// Whether the fractional lattice position lies within the outline.
#[must_use]
pub fn contains(outline: &[Spot], (x, y): (f64, f64)) -> bool {
    let crossings = edges(outline).filter(|(a, b)| {
        let (ax, ay, bx, by) = (f64::from(a.x), f64::from(a.y), f64::from(b.x), f64::from(b.y));
        (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax
    });
    crossings.count() % 2 == 1
}

/// Consecutive corners, the last joined to the first.
pub fn edges(outline: &[Spot]) -> impl Iterator<Item = (Spot, Spot)> {
    (0..outline.len()).map(|i| (outline[i], outline[(i + 1) % outline.len()]))
}

/// Twice the signed area, so that it is whole.
#[must_use]
pub fn double_area(outline: &[Spot]) -> i64 {
    edges(outline).map(|(a, b)| i64::from(a.x) * i64::from(b.y) - i64::from(b.x) * i64::from(a.y)).sum()
}

/// Splits an outline along a path whose ends lie on its border and whose way lies within. `None` when it does not.
#[must_use]
pub fn split(outline: &[Spot], path: &[Spot]) -> Option<(Vec<Spot>, Vec<Spot>)> {
    let (&first, &last) = (path.first()?, path.last()?);
    let middle = Spot { x: (first.x + path[1].x) / 2, y: (first.y + path[1].y) / 2 };
    if side(outline, middle) != Side::Inside {
        return None;
    }
    let ring = with_corner(&with_corner(outline, first)?, last)?;
    let start = ring.iter().position(|&corner| corner == first)?;
    let end = ring.iter().position(|&corner| corner == last)?;
    let turned: Vec<Spot> = (0..ring.len()).map(|i| ring[(start + i) % ring.len()]).collect();
    let end = (end + ring.len() - start) % ring.len();
    let between = &path[1..path.len() - 1];
    let one = turned[..=end].iter().chain(between.iter().rev()).copied().collect();
    let other = turned[end..].iter().chain(&turned[..1]).chain(between).copied().collect();
    Some((one, other))
}

/// The outline with `spot` as a corner; `None` when it is not on the border.
fn with_corner(outline: &[Spot], spot: Spot) -> Option<Vec<Spot>> {
    if outline.contains(&spot) {
        return Some(outline.to_vec());
    }
    let at = edges(outline).position(|(a, b)| on_segment(a, b, spot))?;
    let mut ring = outline.to_vec();
    ring.insert(at + 1, spot);
    Some(ring)
}

fn on_segment(a: Spot, b: Spot, point: Spot) -> bool {
    let cross =
        i64::from(b.x - a.x) * i64::from(point.y - a.y) - i64::from(point.x - a.x) * i64::from(b.y - a.y);
    cross == 0
        && (a.x.min(b.x)..=a.x.max(b.x)).contains(&point.x)
        && (a.y.min(b.y)..=a.y.max(b.y)).contains(&point.y)
}
