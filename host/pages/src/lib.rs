//! The pages people see: views in, HTML out.
//!
//! Every page is a pure function from the views of [`thimble_api`] and a [`Viewer`] to [`maud::Markup`], a whole document. Nothing
//! here reads a clock, a file or a store. Text of builders, operators and files is escaped and isolated from the direction of the
//! text around it ([`maud`], `text::foreign`); Markdown passes an allow-list ([`markdown::html`]). No page has a script or style of
//! its own: both are [`assets`], so that the content-security policy can refuse every inline one. All forms work without scripts,
//! and [`forms`] says what their fields are called.
//!
//! | page | function |
//! |---|---|
//! | `GET /` | [`challenges`] |
//! | `GET /challenges/{name}` | [`leaderboard`] |
//! | `…/description` | [`description`] |
//! | `…/explore` | [`explore`] |
//! | `…/training` | [`training`] |
//! | `…/submissions`, and `POST …/submit` with faults | [`submissions`] |
//! | `…/monitor` | [`monitor`] |
//! | `GET /submissions/{id}` | [`submission`] for builders and readers, [`record`] for operators |
//! | `GET /login`, and `POST /login` with a fault | [`login`] |
//! | `GET /join`, and `POST /join` with faults; then | [`join`]; [`joined`] |
//! | `GET /operator`, and `POST /operator/new` with faults | [`operator`] |
//! | `GET /operator/challenges/{name}/step/1` … `4`, and `POST` with faults | [`step1`], [`step2`], [`step3`], [`step4`] |
//! | every error | [`error`] |
//!
//! ```text
//! challenges(&Viewer, &Page<ChallengeSummary>, &ChallengesQuery)
//! leaderboard(&Viewer, &ChallengeView, &Leaderboard, &LeaderboardQuery)
//! description(&Viewer, &ChallengeView, statement: &str)
//! explore(&Viewer, &ChallengeView)
//! training(&Viewer, &ChallengeView, origin: &str)
//! submissions(&Viewer, &ChallengeView, &Page<BuilderSubmission>, &SubmitForm, faults: &[ErrorDetail])
//! monitor(&Viewer, &ChallengeView, &Monitor, &Page<SubmissionRecord>, faults: &[ErrorDetail])
//! submission(&Viewer, &ChallengeView, &SubmissionView, Option<&Log>, Option<&RankingContext>)
//! record(&Viewer, &ChallengeView, &SubmissionRecord)
//! login(&Viewer, &LoginForm, fault: Option<&str>)
//! join(&Viewer, &JoinForm, faults: &[ErrorDetail])
//! joined(&Viewer, &Joined)
//! operator(&Viewer, &OperatorHome, &NewDraftForm, faults: &[ErrorDetail])
//! step1(&Viewer, &DraftView, &Step1Form, faults: &[ErrorDetail])
//! step2(&Viewer, &DraftView, &Step2Form, faults: &[ErrorDetail], &[DatasetView])
//! step3(&Viewer, &DraftView, &Step3Form, faults: &[ErrorDetail])
//! step4(&Viewer, &DraftView, &Step4Form, faults: &[ErrorDetail], &Invitations)
//! error(&Viewer, &ErrorBody)
//! ```

pub mod assets;
pub mod forms;
pub mod markdown;
mod text;
mod viewer;

pub use viewer::{SignedIn, Viewer};
