// The list of jobs, kept up to date while it is looked at.

import { getJson } from './api.js';
import { element, notify } from './elements.js';
import { nameOf } from './names.js';
import { showStatus } from './status.js';
import { pause, since, span } from './times.js';

const PAGE = 20;
const REFRESH = 4000;

export async function showJobs(root, signal) {
  const list = root.querySelector('.job-list');
  const more = root.querySelector('.more');
  const filter = root.querySelector('[name=status]');
  let shown = PAGE;
  let latest = 0;
  let lockedOut = false;

  /** Asks for all that is shown, so that the list is as it is now; the last one that asks is right. */
  async function refresh() {
    const request = ++latest;
    try {
      const { jobs, more: older } = await newest(shown, filter.value, signal);
      if (request !== latest) return;
      notify(root.querySelector('.error'), null);
      lockedOut = false;
      draw(list, jobs);
      more.hidden = !older;
      const nothing = filter.value ? 'No jobs like that.' : 'No jobs yet. Yours will be listed here.';
      notify(root.querySelector('.empty'), jobs.length ? null : nothing);
    } catch (error) {
      if (signal.aborted || request !== latest) return;
      notify(root.querySelector('.error'), error.message);
      lockedOut = error.status === 401;
      list.querySelectorAll('.ghost').forEach(ghost => ghost.remove());
    }
    list.removeAttribute('aria-busy');
  }

  filter.addEventListener('change', refresh, { signal });
  more.addEventListener('click', () => { shown += PAGE; refresh(); }, { signal });
  document.addEventListener('visibilitychange', () => document.hidden || refresh(), { signal });
  while (!signal.aborted) {
    // Who would rather not give a key is not asked again and again.
    if (!document.hidden && !lockedOut) await refresh();
    await pause(REFRESH, signal);
  }
}

async function newest(count, status, signal) {
  const jobs = [];
  let cursor = '';
  do {
    const query = new URLSearchParams({ kind: 'transcribe', limit: PAGE });
    if (status) query.set('status', status);
    if (cursor) query.set('cursor', cursor);
    const page = await getJson(`/v1/jobs?${query}`, { signal });
    jobs.push(...page.jobs);
    cursor = page.next_cursor;
  } while (cursor && jobs.length < count);
  return { jobs, more: Boolean(cursor) };
}

/** Keeps the rows that stay, so that neither focus nor place is lost. */
function draw(list, jobs) {
  const rows = new Map([...list.children].filter(row => row.dataset.id).map(row => [row.dataset.id, row]));
  const wanted = jobs.map(job => filled(rows.get(job.id) ?? empty(job.id), job));
  for (const row of [...list.children]) if (!wanted.includes(row)) row.remove();
  wanted.forEach((row, index) => {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
}

function empty(id) {
  const link = element('a', { href: `#/jobs/${encodeURIComponent(id)}` },
    element('span', { className: 'name', dir: 'auto' }, nameOf(id)), element('span', { className: 'status' }),
    element('span', { className: 'when' }));
  return element('li', { 'data-id': id }, link);
}

function filled(row, { status, started, wall_s }) {
  const when = [started && since(started), wall_s && `took ${span(wall_s)}`].filter(Boolean).join(' · ');
  const [badge, time] = [row.querySelector('.status'), row.querySelector('.when')];
  if (!badge.classList.contains(status)) showStatus(badge, status);
  if (time.textContent !== when) time.textContent = when;
  return row;
}
