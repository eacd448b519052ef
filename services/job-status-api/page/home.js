// The first view: a new job, and those that there are.

import { getJson, ingestionUrl } from './api.js';
import { element, stamp } from './elements.js';
import { showJobs } from './jobs.js';
import { languages } from './languages.js';
import { takeRecordings } from './new_job.js';

/** Shows the view until the signal says that something else is shown. Returns its title. */
export function showHome(view, signal) {
  const root = stamp('home');
  const form = root.querySelector('.new-job');
  form.elements.language.append(...languages().map(([code, name]) => element('option', { value: code }, name)));
  view.replaceChildren(root);
  takeRecordings(form, signal);
  showJobs(root.querySelector('.jobs'), signal);
  offerModels(form.elements.model, signal);
  return null;
}

async function offerModels(select, signal) {
  try {
    const { data } = await getJson(`${await ingestionUrl()}/v1/models`, { signal });
    const names = data.map(({ id }) => id).filter(id => id !== 'whisper-1');
    select.append(...names.map(name => element('option', { value: name }, name)));
  } catch {
    // The service's own model is there to choose; why the service is silent is said when a job is sent.
  }
}
