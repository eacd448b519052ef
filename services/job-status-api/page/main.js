// Which view is shown: the address says it, so every job can be linked to.

import { showHome } from './home.js';
import { showJob } from './job.js';
import { showShortcuts } from './shortcuts.js';

const view = document.getElementById('view');
let leave = new AbortController();

function show() {
  leave.abort();
  leave = new AbortController();
  const [, id] = /^#\/jobs\/(.+)$/.exec(location.hash) ?? [];
  const title = id ? showJob(view, decoded(id), leave.signal) : showHome(view, leave.signal);
  document.title = title ? `${title} – Longhand` : 'Longhand';
  scrollTo(0, 0);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // It was typed by hand; the service says that there is no such job.
  }
}

addEventListener('hashchange', event => {
  // The link that skips to the content is no change of view.
  if (location.hash === '#view') history.replaceState(null, '', new URL(event.oldURL).hash || '#/');
  else { show(); view.focus({ preventScroll: true }); }
});
// A file that is dropped where none is taken would replace the page.
for (const type of ['dragover', 'drop']) {
  addEventListener(type, event => { if (event.dataTransfer.types.includes('Files')) event.preventDefault(); });
}
showShortcuts();
show();
