// The two HTTP APIs: requests, and what they refuse as one kind of error.

import { askForKey, authorization, key } from './access.js';

/** What a service said was wrong, or that it said nothing (`status` 0). */
export class ApiError extends Error {
  constructor(message, status = 0, param = null) {
    super(message);
    this.status = status;
    this.param = param;
  }
}

/**
 * A response that is a success, or a redirect where `redirect` is `manual`.
 * @param {{method?: string, json?: object, headers?: object, redirect?: RequestRedirect, signal?: AbortSignal}} options
 * @throws {ApiError}
 */
export async function request(url, { method = 'GET', json, headers = {}, redirect, signal } = {}) {
  for (;;) {
    const used = key();
    const body = json && JSON.stringify(json);
    const kind = json && { 'Content-Type': 'application/json' };
    let response;
    try {
      response = await fetch(url, { method, body, redirect, signal, headers: { ...headers, ...kind, ...authorization() } });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw silent(url);
    }
    if (response.ok || response.type === 'opaqueredirect') return response;
    const refused = refusal(response.status, await response.text());
    if (refused.status !== 401 || !await askForKey(refused.message, used)) throw refused;
  }
}

export async function getJson(url, options) {
  return (await request(url, options)).json();
}

export function refusal(status, body) {
  try {
    const { message, param } = JSON.parse(body).error;
    return new ApiError(message, status, param);
  } catch {
    return new ApiError(`The service answered with status ${status} and no reason. Try again later.`, status);
  }
}

export function silent(url) {
  return new ApiError(`The service at ${new URL(url, location).host} does not answer. Check that it runs, then try again.`);
}

let ingestion = null;

/** Where recordings are handed in. */
export async function ingestionUrl() {
  ingestion ??= (await getJson('/page.json')).ingestion_url ?? `${location.protocol}//${location.hostname}:8000`;
  return ingestion.replace(/\/$/, '');
}

export function jobUrl(id, rest = '') {
  return `/v1/jobs/${encodeURIComponent(id)}${rest}`;
}
