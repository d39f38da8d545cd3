//! Following a submission to its end.

use std::io;
use std::time::Duration;

use thimble_api::SubmissionId;
use thimble_api::submission::SubmissionView;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::{ClientError, Kind};
use crate::events::EventReader;
use crate::exchange::{Request, media_type};
use crate::wait::{Why, backoff};

/// Between two questions where there is no stream.
const POLL: Duration = Duration::from_secs(5);
/// Streams that may end without a word before questions are asked instead.
const SILENT_STREAMS: u32 = 3;
/// How long the service may be away before the watch ends. The submission goes on.
const AWAY: Duration = Duration::from_secs(30 * 60);

/// Where a watch stands between two connections.
#[derive(Debug, Default)]
struct Watch {
    last_event: Option<String>,
    silent_streams: u32,
    /// Failures since the service was last heard, and the waits between them.
    failures: u32,
    away: Duration,
}

/// What came of one connection.
enum Heard {
    /// The last state there is.
    End(Box<Answer<SubmissionView>>),
    /// Something; the connection ended before the submission did.
    Something,
    /// Nothing.
    Nothing,
}

impl Client {
    /// Follows a submission until it has ended, however long that takes, and hands every state to `seen`: by the event stream,
    /// which is opened again when it breaks, or by asking every five seconds where there is none.
    ///
    /// # Errors
    /// The submission cannot be seen, or the service has been away for half an hour.
    pub fn watch(
        &self,
        id: SubmissionId,
        seen: &mut dyn FnMut(&SubmissionView),
    ) -> Result<Answer<SubmissionView>, ClientError> {
        let mut watch = Watch::default();
        loop {
            let streaming = watch.silent_streams < SILENT_STREAMS;
            let heard = if streaming { self.follow(id, &mut watch, seen) } else { self.ask(id, seen) };
            match heard {
                Ok(Heard::End(last)) => return Ok(*last),
                Ok(Heard::Something) => {
                    (watch.failures, watch.away) = (0, Duration::ZERO);
                    let wait = if streaming { backoff(1, None) } else { POLL };
                    self.waiter.wait(wait, &Why::Poll);
                }
                // There is no stream: the next question needs no wait.
                Ok(Heard::Nothing) if watch.silent_streams >= SILENT_STREAMS => {}
                Ok(Heard::Nothing) => self.waiter.wait(backoff(watch.silent_streams, None), &Why::Poll),
                Err(error) if may_pass(&error) => self.come_back(&mut watch, error)?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits after a failure, longer each time, as long as the service is not given up.
    fn come_back(&self, watch: &mut Watch, error: ClientError) -> Result<(), ClientError> {
        watch.failures += 1;
        let wait = backoff(watch.failures, error.retry_after());
        watch.away += wait;
        if watch.away > AWAY {
            return Err(error);
        }
        self.waiter.wait(wait, &Why::Retry { attempt: watch.failures, error: &error });
        Ok(())
    }

    /// Reads one stream as long as it lasts.
    fn follow(
        &self,
        id: SubmissionId,
        watch: &mut Watch,
        seen: &mut dyn FnMut(&SubmissionView),
    ) -> Result<Heard, ClientError> {
        let mut request =
            Request::get(format!("/submissions/{id}/events")).public().header("accept", "text/event-stream");
        if let Some(last) = watch.last_event.as_deref().filter(|last| last.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            request = request.header("last-event-id", last);
        }
        let response = match self.send(&request) {
            Ok(response) => response,
            Err(error) => {
                watch.silent_streams += 1;
                return Err(error);
            }
        };
        if media_type(response.headers()).as_deref() != Some("text/event-stream") {
            // Something in between does not let streams through.
            watch.silent_streams = SILENT_STREAMS;
            return Ok(Heard::Nothing);
        }
        let mut events = EventReader::new(response.into_body().into_reader());
        let last = self.until_end(&mut events, watch, seen);
        watch.silent_streams = if events.heard { 0 } else { watch.silent_streams + 1 };
        match last {
            Ok(Some(last)) => Ok(Heard::End(Box::new(last))),
            Ok(None) | Err(ClientError::BrokenOff { .. }) if events.heard => Ok(Heard::Something),
            Ok(None) => Ok(Heard::Nothing),
            Err(error) => Err(error),
        }
    }

    /// The state that ends the stream's submission; none where the stream ends before.
    fn until_end<R: io::Read>(
        &self,
        events: &mut EventReader<R>,
        watch: &mut Watch,
        seen: &mut dyn FnMut(&SubmissionView),
    ) -> Result<Option<Answer<SubmissionView>>, ClientError> {
        loop {
            let event = events.next();
            let event = event.map_err(|source| ClientError::BrokenOff { server: self.server.clone(), source })?;
            let Some(event) = event else { return Ok(None) };
            watch.last_event = event.id;
            if event.name != "status" {
                continue;
            }
            let value: SubmissionView =
                serde_json::from_str(&event.data).map_err(|source| ClientError::Malformed { source })?;
            seen(&value);
            if has_ended(&value) {
                return Ok(Some(Answer { value, json: event.data }));
            }
        }
    }

    /// Asks once.
    fn ask(&self, id: SubmissionId, seen: &mut dyn FnMut(&SubmissionView)) -> Result<Heard, ClientError> {
        let request = Request::get(format!("/submissions/{id}")).public();
        let answer: Answer<SubmissionView> = crate::exchange::read_json(self.send(&request)?, &self.server)?;
        seen(&answer.value);
        Ok(if has_ended(&answer.value) { Heard::End(Box::new(answer)) } else { Heard::Something })
    }
}

/// Whether it is worth staying after `error`. A watch has seen the service, so that a name that is not found is a lost network, and
/// a defect of the service one that its operator mends.
fn may_pass(error: &ClientError) -> bool {
    let stays = matches!(error, ClientError::Malformed { .. } | ClientError::Redirected { .. });
    error.is_transient() || (error.kind() == Kind::Service && !stays)
}

/// Whether nothing will change any more. What everyone sees has been released.
fn has_ended(view: &SubmissionView) -> bool {
    match view {
        SubmissionView::Public(_) => true,
        SubmissionView::Builder(submission) => submission.run.is_finished(),
    }
}
