// Shows a submission as it moves: when the service says that something changed, the page's live part is asked for again. What is
// shown is written by the service alone, so it is the same with and without this script.
'use strict';

/** Milliseconds between two askings at least. */
const PAUSE = 1000;
/** Milliseconds between two askings where there is no stream. */
const POLL = 10000;

function follow(address) {
  const source = new EventSource(address);
  let asking = false;
  let again = false;

  const refresh = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' });
      if (answer.ok) replace(await answer.text());
    } catch {
      // The service is away for a moment: the stream comes back by itself, and asks again.
    }
    setTimeout(() => {
      asking = false;
      if (again) {
        again = false;
        refresh();
      }
    }, PAUSE);
  };

  const replace = (text) => {
    const fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('live');
    const old = document.getElementById('live');
    if (!fresh || !old) return;
    const focused = document.activeElement?.id;
    const changed = fresh.dataset.state !== old.dataset.state;
    old.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus();
    const status = document.querySelector('[data-live-status]');
    if (status && changed) status.textContent = `Now ${fresh.dataset.state}`;
    if (!fresh.dataset.events) source.close();
  };

  source.addEventListener('status', refresh);
  // The stream ends with the submission: a look tells whether it did. Where it was refused for good, looking is all there is.
  source.addEventListener('error', () => {
    refresh();
    if (source.readyState === EventSource.CLOSED) {
      const timer = setInterval(() => {
        if (document.getElementById('live')?.dataset.events) refresh();
        else clearInterval(timer);
      }, POLL);
    }
  });
}

const live = document.getElementById('live');
if (live?.dataset.events) follow(live.dataset.events);

// The tile of a draft shows what is typed.
for (const shown of document.querySelectorAll('aside [data-preview]')) {
  const input = document.querySelector(`form.step [name="${shown.dataset.preview}"]`);
  input?.addEventListener('input', () => {
    shown.textContent = input.value;
  });
}
