//! A city that goes on in a store that has cases: what an earlier run left open is taken up where it stands.
//!
//! What should be here: reading what is open, and planning what becomes of it. What should not: sending it (`city.rs`).

use anyhow::Context;
use domain::answer::PageAnswer;
use domain::whistle::Whistle;
use domain::wire::CaseLine;
use serde::de::DeserializeOwned;

use super::City;
use crate::client::Client;

/// Rows of one page, the server's most.
const PAGE: &str = "limit=500";

impl City<'_> {
    /// Plans the way of every open case from its stage and of every open call. How long each takes is drawn anew and begins now:
    /// what the time in between has made due does not all happen at once.
    pub(super) fn take_up_open(&mut self) -> anyhow::Result<()> {
        let now = self.time.now();
        let cases: Vec<CaseLine> = all(self.client, "/api/v1/cases").context("cannot read the open cases")?;
        let calls: Vec<Whistle> =
            all(self.client, "/api/v1/whistles").context("cannot read the open calls")?;
        tracing::info!(cases = cases.len(), calls = calls.len(), "taking up what is open");
        for case in cases {
            let planned = self.planner.again(&case.class, case.department);
            self.plan_from(case.id, &planned, case.stage, now);
        }
        for call in calls {
            let missing = call.missing().map(|called| called.department.clone()).collect();
            self.plan_whistle(call.id, missing);
        }
        Ok(())
    }
}

/// Everything that is open in a list, page by page.
fn all<T: DeserializeOwned>(client: &Client, list: &str) -> anyhow::Result<Vec<T>> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: PageAnswer<T> = client.get(&format!("{list}?open=true&{PAGE}{cursor}"))?;
        items.extend(page.items);
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(items),
        }
    }
}
