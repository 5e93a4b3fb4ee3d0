import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { components } from '@/api/generated/documents';
import { body } from '@/api/http';
import { Problem } from '@/api/problem';
import { documents } from '@/api/services';

type Upload = components['schemas']['Upload'];
type Target = components['schemas']['Target'];
type Place = { client_id: string; job_id?: string };
type Progress = (share: number) => void;

const CHUNK = 4 * 1024 * 1024;
const TRIES = 4;

/**
 * Sends a file straight to the object store: hash, ask for signed addresses, PUT, complete. The service decides
 * between one PUT and parts. Half of the progress bar is hashing for large files, since both read every byte.
 */
export async function upload(
  file: File,
  place: Place,
  onProgress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const whole = await hash(file, (share) => onProgress(share * 0.3), signal);
  const started = await body(
    documents.POST('/uploads', {
      body: { ...place, name: file.name, size: file.size, sha256: whole },
      signal,
    }),
  );
  const sent: Progress = (share) => onProgress(0.3 + share * 0.7);
  if (started.method === 'multipart') await sendParts(file, started, sent, signal);
  else await put(started.targets[0], file, sent, signal);
  await body(
    documents.POST('/uploads/{upload_id}/complete', { params: { path: { upload_id: started.id } } }),
  );
}

/** Hex SHA-256, read piece by piece: a file of any size in constant memory. */
export async function hash(file: Blob, onProgress: Progress, signal: AbortSignal): Promise<string> {
  const digest = sha256.create();
  for (let start = 0; start < file.size; start += CHUNK) {
    signal.throwIfAborted();
    digest.update(new Uint8Array(await file.slice(start, start + CHUNK).arrayBuffer()));
    onProgress(Math.min(1, (start + CHUNK) / file.size));
  }
  return bytesToHex(digest.digest());
}

async function sendParts(
  file: File,
  { id, part_size, parts }: Upload,
  onProgress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const size = part_size as number;
  for (let number = 1; number <= (parts as number); number += 1) {
    const part = file.slice((number - 1) * size, number * size);
    const { targets } = await body(
      documents.POST('/uploads/{upload_id}/sign', {
        params: { path: { upload_id: id } },
        body: { parts: [{ number, sha256: await hash(part, () => {}, signal) }] },
        signal,
      }),
    );
    await put(
      targets[0],
      part,
      (share) => onProgress(((number - 1) * size + share * part.size) / file.size),
      signal,
    );
  }
}

/** One PUT, tried again when the line drops. A refusal by the store is final. */
async function put(target: Target, bytes: Blob, onProgress: Progress, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const status = await putOnce(target, bytes, onProgress, signal);
    if (status >= 200 && status < 300) return;
    signal.throwIfAborted();
    if (attempt === TRIES || (status >= 400 && status < 500)) {
      throw new Problem(status, {
        title:
          'The file store did not take the file. Try again; if it happens again, tell your administrator.',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
  }
}

/** XMLHttpRequest, because fetch tells nothing of the progress of an upload. 0: the line dropped. */
function putOnce(
  { method, url, headers }: Target,
  bytes: Blob,
  onProgress: Progress,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 1);
    request.onload = () => resolve(request.status);
    request.onerror = () => resolve(0);
    request.onabort = () => resolve(0);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(bytes);
  });
}
