//! Reads the plan: lines of `kind | field | …`, each complaint with its line number.

use domain::catalogue::Name;
use domain::code::AreaCode;

use super::network::{Network, RoadClass, Track};
use super::shape::{self, Side, Spot};
use super::{CITY_CODE, Community, District, Lake, Schematic, Street};

/// Why a plan cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the schematic plan: {reason}")]
pub struct PlanError {
    pub line: usize,
    pub reason: String,
}

/// What the plan has said so far.
#[derive(Default)]
struct Draft {
    districts: Vec<District>,
    lake: Option<Lake>,
    tracks: Vec<Track>,
    /// Outlines of the current district that no street has claimed yet.
    pieces: Vec<Vec<Spot>>,
}

/// Builds the city from the text of a plan.
pub fn parse(text: &str) -> Result<Schematic, PlanError> {
    let mut draft = Draft::default();
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    for (line, content) in lines.filter(|(_, content)| !content.is_empty() && !content.starts_with('#')) {
        let fields: Vec<&str> = content.split('|').map(str::trim).collect();
        draft.read(&fields).map_err(|reason| PlanError { line, reason })?;
    }
    let missing = |reason: &str| PlanError { line: text.lines().count(), reason: reason.to_owned() };
    draft.close_district().map_err(|reason| missing(&reason))?;
    let lake = draft.lake.ok_or_else(|| missing("the plan has no lake"))?;
    let network = Network::lay(draft.tracks, &draft.districts).map_err(|reason| missing(&reason))?;
    let name = Name { zh: "昆明市".into(), en: "Kunming".into() };
    Ok(Schematic { name, districts: draft.districts, lake, network })
}

impl Draft {
    fn read(&mut self, fields: &[&str]) -> Result<(), String> {
        match fields {
            ["district", code, zh, en, short_zh, short_en, label, outline] => {
                self.close_district()?;
                let outline = spots(outline)?;
                check_outline(&outline)?;
                self.pieces = vec![outline.clone()];
                self.districts.push(District {
                    code: area_code(code)?,
                    name: name(zh, en),
                    short: name(short_zh, short_en),
                    label: spot(label)?.ground(),
                    streets: Vec::new(),
                    outline,
                });
                Ok(())
            }
            ["cut", zh, en, path] => self.cut(name(zh, en), spots(path)?),
            ["street", zh, en, label, communities] => self.street(name(zh, en), spot(label)?, communities),
            ["lake", zh, en, label, outline] => {
                let outline = spots(outline)?;
                check_outline(&outline)?;
                self.lake = Some(Lake { name: name(zh, en), label: spot(label)?.ground(), outline });
                Ok(())
            }
            ["trunk", zh, en, path] => {
                self.tracks.push(Track {
                    name: name(zh, en),
                    class: RoadClass::Trunk,
                    corners: spots(path)?,
                });
                Ok(())
            }
            _ => Err("expected district, cut, street, lake or trunk with its fields".into()),
        }
    }

    fn cut(&mut self, name: Name, path: Vec<Spot>) -> Result<(), String> {
        let halves = self.pieces.iter().enumerate().find_map(|(at, piece)| {
            let (one, other) = shape::split(piece, &path)?;
            Some((at, one, other))
        });
        let (at, one, other) = halves.ok_or("the path does not cross a part of the district")?;
        check_outline(&one)?;
        check_outline(&other)?;
        self.pieces.swap_remove(at);
        self.pieces.extend([one, other]);
        self.tracks.push(Track { name, class: RoadClass::Main, corners: path });
        Ok(())
    }

    fn street(&mut self, name: Name, label: Spot, communities: &str) -> Result<(), String> {
        let district = self.districts.last_mut().ok_or("a street before any district")?;
        let at = self.pieces.iter().position(|piece| shape::side(piece, label) == Side::Inside);
        let at = at.ok_or("the label lies in no unclaimed part of the district")?;
        let code = format!("{}{:03}", district.code, district.streets.len() + 1);
        let communities = communities.split(',').enumerate().map(|(index, pair)| {
            let (zh, en) = pair.trim().split_once(' ').ok_or("a community needs both names")?;
            Ok(Community {
                code: area_code(&format!("{code}{:03}", index + 1))?,
                name: self::name(&format!("{zh}社区"), &format!("{en} Community")),
            })
        });
        let communities = communities.collect::<Result<_, String>>()?;
        let outline = self.pieces.swap_remove(at);
        let (code, label) = (area_code(&code)?, label.ground());
        district.streets.push(Street { code, name, label, communities, outline });
        Ok(())
    }

    fn close_district(&self) -> Result<(), String> {
        match (self.districts.last(), self.pieces.len()) {
            (Some(district), open @ 1..) => Err(format!(
                "district {} has {open} parts without a street: {:?}",
                district.code, self.pieces
            )),
            _ => Ok(()),
        }
    }
}

fn name(zh: &str, en: &str) -> Name {
    Name { zh: zh.to_owned(), en: en.to_owned() }
}

fn area_code(text: &str) -> Result<AreaCode, String> {
    debug_assert!(!text.is_empty() && text != CITY_CODE);
    AreaCode::new(text).map_err(|error| format!("area code {text:?} {error}"))
}

/// A plan's point. The plan counts in 400 m, the lattice in 200 m, so that the middle of a step is a point too.
fn spot(text: &str) -> Result<Spot, String> {
    let number = |part: &str| part.parse::<i32>().map_err(|_| format!("{text:?} is not a point like 12,34"));
    let (x, y) = text.split_once(',').ok_or_else(|| format!("{text:?} is not a point like 12,34"))?;
    Ok(Spot { x: number(x)? * 2, y: number(y)? * 2 })
}

fn spots(text: &str) -> Result<Vec<Spot>, String> {
    let spots: Vec<Spot> = text.split_whitespace().map(spot).collect::<Result<_, _>>()?;
    if spots.len() < 2 {
        return Err("a path needs at least two points".into());
    }
    match spots.windows(2).find(|pair| pair[0] == pair[1] || pair[0].walk(pair[1]).is_none()) {
        Some(pair) => Err(format!("{:?} to {:?} does not run at 0, 45 or 90 degrees", pair[0], pair[1])),
        None => Ok(spots),
    }
}

fn check_outline(outline: &[Spot]) -> Result<(), String> {
    match shape::edges(outline).find(|(a, b)| a == b || a.walk(*b).is_none()) {
        Some((a, b)) => Err(format!("the outline's edge {a:?} to {b:?} does not run at 0, 45 or 90 degrees")),
        None if shape::double_area(outline) == 0 => Err("the outline encloses nothing".into()),
        None => Ok(()),
    }
}
