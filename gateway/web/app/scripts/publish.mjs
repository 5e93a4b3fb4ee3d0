// What vite built becomes `dist` at once: a server that runs meanwhile goes on with the build before.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const built = new URL('../node_modules/.built', import.meta.url);
const before = new URL('../node_modules/.built-before', import.meta.url);
const dist = new URL('../dist', import.meta.url);

// Packed copies beside each text file, so that the server never packs at run time.
const worthwhile = /\.(js|css|html|svg|json)$/;

for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !worthwhile.test(entry.name)) continue;
  const path = `${entry.parentPath}/${entry.name}`;
  const plain = readFileSync(path);
  if (plain.length < 1024) continue;
  // The best quality takes seconds for the largest files and gains little on them.
  const quality = plain.length > 300_000 ? 9 : 11;
  writeFileSync(
    `${path}.br`,
    brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }),
  );
  writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
}

rmSync(before, { recursive: true, force: true });
if (existsSync(dist)) renameSync(dist, before);
renameSync(built, dist);
rmSync(before, { recursive: true, force: true });
