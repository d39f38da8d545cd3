// Names the points of the frontier where they are pointed at, and walks through them by the arrow keys. The plot is whole without it.
'use strict';

/** Pixels from a point within which it is meant. */
const REACH = 28;

for (const svg of document.querySelectorAll('svg.frontier')) {
  const figure = svg.closest('figure');
  const words = new Map();
  for (const title of svg.querySelectorAll('.marks title')) {
    words.set(title.parentNode, title.textContent);
    title.remove(); // The browser would show it a second time.
  }
  const place = (mark) => {
    const box = mark.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  };
  const marks = [...words.keys()].sort((a, b) => place(a).x - place(b).x);
  if (marks.length === 0) continue;

  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.setAttribute('role', 'status');
  figure.append(tip);
  let here = null;

  const show = (mark) => {
    if (mark === here) return;
    here?.classList.remove('here');
    here = mark;
    if (!mark) {
      tip.textContent = '';
      return;
    }
    mark.classList.add('here');
    tip.textContent = words.get(mark);
    const frame = figure.getBoundingClientRect();
    const at = place(mark);
    const left = Math.min(Math.max(at.x - frame.left + 12, 0), frame.width - tip.offsetWidth);
    const above = at.y - frame.top - tip.offsetHeight - 12;
    tip.style.left = `${Math.max(left, 0)}px`;
    tip.style.top = `${above < 0 ? at.y - frame.top + 14 : above}px`;
  };

  svg.addEventListener('pointermove', (event) => {
    let best = null;
    let distance = REACH;
    for (const mark of marks) {
      const at = place(mark);
      const apart = Math.hypot(at.x - event.clientX, at.y - event.clientY);
      // The last of equals is the one on top.
      if (apart <= distance) [best, distance] = [mark, apart];
    }
    show(best);
  });
  svg.addEventListener('pointerleave', () => show(null));

  // One stop for the Tab key; the arrows go from point to point, Enter opens the result.
  svg.setAttribute('tabindex', '0');
  for (const link of svg.querySelectorAll('a')) link.setAttribute('tabindex', '-1');
  svg.addEventListener('keydown', (event) => {
    const at = marks.indexOf(here);
    const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? marks.length - 1 : at - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (to !== undefined) {
      show(marks[Math.min(Math.max(to, 0), marks.length - 1)]);
      event.preventDefault();
    } else if (event.key === 'Escape') {
      show(null);
    } else if (event.key === 'Enter') {
      const link = here?.closest('a');
      if (link) location.assign(link.getAttribute('href'));
    }
  });
  svg.addEventListener('blur', () => show(null));
}
