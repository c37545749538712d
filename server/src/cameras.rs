//! Adopted lists of cameras (摄像机名录) into the log, which names the last of them and holds each sealed, and out of it again.
//!
//! What should be here: besides, the folder they were kept in before. What should not: which list holds at a start
//! (`video::origin::adopted`), what a list says and changes (`video`), how it is sealed (`stored::cameras`), how an event gets into the log (`writer`).

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::adoption::{CameraCounts, ListInForce};
use domain::event::By;

use crate::cause::chain;
use crate::log::seal::Secret;
use crate::log::segment::ROW_BYTES_MAX;
use crate::stored::cameras::{List, Sealed, adopted};
use crate::stored::policy::Bodies;
use crate::video::Registry;
use crate::video::adoption::{LIST_BYTES_MAX, NotAdopted, counts};
use crate::video::origin::adopted::{AdoptedLists, KeepError, Kept};
use crate::video::origin::change::Change;
use crate::video::origin::file::{Format, ListFile};
use crate::video::origin::former::Former;
use crate::writer::{WriteError, Writer};

/// What became of a list that was kept before the log could hold it.
enum Taken {
    /// It is in the log.
    Over,
    /// There was none.
    Nothing,
    /// It is where it was.
    NotYet,
}

/// Adopted lists in the log, through its writer.
pub struct InLog {
    writer: Writer,
    secret: Secret,
    /// Version in force; whoever adopts goes through here.
    version: AtomicU64,
}

/// A row of the log that no backup could read again would make every backup fail.
const _: () = assert!(LIST_BYTES_MAX + 4_096 < ROW_BYTES_MAX as usize, "a sealed list is a row of a backup");

impl AdoptedLists for InLog {
    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn keep(
        &self,
        list: &ListFile,
        counts: CameraCounts,
        upon: Option<u64>,
        by: &By,
    ) -> Result<(), KeepError> {
        let bytes = list.bytes.len();
        if bytes > LIST_BYTES_MAX {
            return Err(KeepError::NotStored(NotAdopted::TooLarge { bytes }.to_string()));
        }
        // Sealed here, and not while commands wait.
        let sealed = Sealed::of(&self.secret, &stored(list));
        match self.writer.adopt_cameras_blocking(by.clone(), sealed, counts, upon) {
            Ok(adopted) => {
                self.version.store(adopted.version, Ordering::Release);
                Ok(())
            }
            Err(WriteError::Busy) => Err(KeepError::Busy),
            Err(WriteError::Stopped) => Err(KeepError::Stopping),
            Err(WriteError::NotStored(why)) => Err(KeepError::NotStored(why)),
            Err(error @ WriteError::Past) => Err(KeepError::NotStored(error.to_string())),
            Err(WriteError::Refused(rejection) | WriteError::ClockDoubted(rejection)) => {
                Err(KeepError::Refused(rejection))
            }
        }
    }
}

fn stored(list: &ListFile) -> List {
    List { format: list.format.extension().to_owned(), bytes: list.bytes.clone() }
}

/// The list adopted last: the one the log names, or while it names none the one that was kept before it could.
pub fn kept(
    named: Option<&ListInForce>,
    secret: &Secret,
    bodies: &dyn Bodies,
    data: &Path,
) -> Result<Option<Kept>, KeepError> {
    let Some(ListInForce { hash, took, version: _ }) = named else {
        return Former::within(data).newest();
    };
    let List { format, bytes } =
        adopted(hash, secret, bodies).map_err(|error| KeepError::Lost(error.to_string()))?;
    let format = Format::of(Path::new(&format!("list.{format}")))
        .map_err(|_| KeepError::Lost(format!("list of cameras {hash} is in an unknown format")))?;
    Ok(Some(Kept { list: ListFile { format, bytes }, by: took.by.clone() }))
}

impl InLog {
    #[must_use]
    pub fn new(writer: Writer, secret: Secret, named: Option<&ListInForce>) -> Self {
        let version = AtomicU64::new(named.map_or(0, |list| list.version));
        Self { writer, secret, version }
    }

    /// Takes the list over that a version before kept as a file, unless the log names one, and removes what the log has from
    /// its folder. What goes wrong keeps no hall from starting: the list is read where it is, and the next start tries again.
    /// Gives how many files lie there that nothing reads any more, which is warned of. For threads without an async runtime.
    pub fn settle(&self, named: Option<&ListInForce>, bodies: &dyn Bodies, data: &Path) -> usize {
        let former = Former::within(data);
        if !former.dir().exists() {
            return 0;
        }
        if named.is_none() {
            match self.take_over(&former) {
                // Without a note none of the lists there was adopted last.
                Taken::NotYet => return 0,
                Taken::Over | Taken::Nothing => {}
            }
        }
        let folder = former.dir().display().to_string();
        let in_log = |list: &ListFile| {
            let hash = Sealed::of(&self.secret, &stored(list)).hash();
            bodies.body(&hash.0).is_ok_and(|body| body.is_some())
        };
        match former.remove(in_log) {
            Ok(0) => {
                tracing::info!(
                    folder,
                    "no list of cameras is kept outside the log; the folder of such is gone"
                );
                0
            }
            Ok(left) => {
                tracing::warn!(
                    folder,
                    left,
                    "files of lists of cameras adopted earlier hold addresses and accounts in the clear, and nothing reads them any more; delete them"
                );
                left
            }
            Err(error) => {
                tracing::warn!(folder, %error, "files of lists of cameras that the log holds cannot be removed");
                0
            }
        }
    }

    fn take_over(&self, former: &Former) -> Taken {
        let folder = former.dir().display().to_string();
        let kept = match former.newest() {
            Ok(Some(kept)) => kept,
            Ok(None) => return Taken::Nothing,
            // What cannot be had is said where it is read to be put into service.
            Err(_) => return Taken::NotYet,
        };
        let counts = match kept.list.rows() {
            Ok((registry, _)) => counts(&Change::between(&Registry::default(), &registry), registry.len()),
            Err(error) => {
                tracing::warn!(
                    folder,
                    error = chain(&error),
                    "adopted list of cameras not taken over into the log"
                );
                return Taken::NotYet;
            }
        };
        match self.keep(&kept.list, counts, None, &By::named(kept.by)) {
            Ok(()) => Taken::Over,
            Err(error) => {
                tracing::warn!(folder, %error, "adopted list of cameras not taken over into the log; it holds all the same");
                Taken::NotYet
            }
        }
    }
}
