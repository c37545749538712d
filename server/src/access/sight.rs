//! What somebody sees of things that lie in an area (可见): a scope, with the areas as they are known now.
//!
//! What should not be here: cases and calls, which know their whole path (`Scope::admits_case`).

use std::sync::Arc;

use domain::code::AreaCode;
use domain::scope::Scope;

/// In which areas an area lies, itself among them; empty for one that is not known.
pub type PathOf = Arc<dyn Fn(&AreaCode) -> Vec<AreaCode> + Send + Sync>;

/// A scope with the areas it is measured by, and whose it is.
#[derive(Clone)]
pub struct Sight {
    name: Arc<str>,
    scope: Scope,
    path_of: PathOf,
}

impl Sight {
    #[must_use]
    pub fn new(name: &str, scope: Scope, path_of: PathOf) -> Self {
        Self { name: name.into(), scope, path_of }
    }

    /// Everything: for what is asked by nobody in particular.
    #[must_use]
    pub fn everything() -> Self {
        Self::new("nobody", Scope::All, Arc::new(|_| Vec::new()))
    }

    /// Whose it is, for the record of what was looked at.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether something that lies in this area may be seen; what lies nowhere is for who sees everything.
    #[must_use]
    pub fn admits(&self, area: Option<&AreaCode>) -> bool {
        match (&self.scope, area) {
            (Scope::All, _) => true,
            (Scope::Within { areas: _, departments: _ }, None) => false,
            (Scope::Within { areas, departments: _ }, Some(area)) => {
                areas.contains(area) || self.scope.admits_area(&(self.path_of)(area))
            }
        }
    }
}

impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sight({})", self.scope)
    }
}
