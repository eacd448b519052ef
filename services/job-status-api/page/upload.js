// A form sent with its progress told, which fetch cannot.

import { askForKey, authorization, key } from './access.js';
import { refusal, silent } from './api.js';

/**
 * @param {FormData} body
 * @param {(progress: {sent: number, total: number, seconds: number}) => void} onProgress bytes, and the time they took
 * @returns the JSON of the answer
 * @throws {ApiError}
 */
export async function upload(url, body, { onProgress, signal }) {
  for (;;) {
    const used = key();
    try {
      return await send(url, body, { onProgress, signal });
    } catch (error) {
      if (error.status !== 401 || !await askForKey(error.message, used)) throw error;
    }
  }
}

function send(url, body, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const started = performance.now();
    request.open('POST', url);
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) =>
      onProgress({ sent: loaded, total, seconds: (performance.now() - started) / 1000 });
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(refusal(request.status, request.responseText));
    };
    request.onerror = () => reject(silent(url));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}
