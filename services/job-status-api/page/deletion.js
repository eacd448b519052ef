// Deleting a job for good, once it is certain that this is meant.

import { ingestionUrl, jobUrl, request } from './api.js';
import { forget } from './names.js';

export function deleteOnDemand(button, id, { name, wrong, signal }) {
  button.addEventListener('click', async () => {
    if (!confirm(`Delete “${name}” for good? Transcript, notes and recording go with it.`)) return;
    button.disabled = true;
    button.textContent = 'Deleting …';
    try {
      await request(`${await ingestionUrl()}${jobUrl(id)}?purge=true`, { method: 'DELETE', signal });
      forget(id);
      location.hash = '#/';
    } catch (error) {
      if (signal.aborted) return;
      wrong(error);
      button.disabled = false;
      button.textContent = 'Delete';
    }
  }, { signal });
}
