// Links to a transcript's files. With an API key they are fetched, for a link sends none.

import { key } from './access.js';
import { jobUrl, request } from './api.js';
import { element } from './elements.js';

/** @param {(error: Error | null) => void} onError */
export function showDownloads(root, id, { name, onError, signal }) {
  for (const link of root.querySelectorAll('[data-format]')) {
    const { format } = link.dataset;
    link.href = jobUrl(id, `/transcript.${format}`);
    link.download = `${name.replace(/\.[^.]{1,5}$/, '')}.${format}`;
    link.setAttribute('aria-label', `Download as ${format.toUpperCase()}`);
    link.addEventListener('click', async event => {
      if (!key()) return;
      event.preventDefault();
      try {
        onError(null);
        save(await (await request(link.href, { signal })).blob(), link.download);
      } catch (error) {
        if (!signal.aborted) onError(error);
      }
    }, { signal });
  }
  root.hidden = false;
}

function save(file, name) {
  const address = URL.createObjectURL(file);
  element('a', { href: address, download: name }).click();
  // The browser has taken the address up by the next turn of the loop at the latest.
  setTimeout(() => URL.revokeObjectURL(address));
}
