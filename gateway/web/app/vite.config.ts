import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// In development the API answers from the edge; its address is set when it is not the usual one.
const edge = process.env.PRAXIS_PUBLIC_URL ?? 'http://127.0.0.1:8080';

/** The reference viewer's badge is an image of its maker's site. Nothing here asks another site for anything. */
const viewerWithoutBadge = (): Plugin => ({
  name: 'viewer-without-badge',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'asset' || !file.fileName.includes('redoc')) continue;
      file.source = Buffer.from(file.source).toString().replaceAll(/https:\/\/cdn\.redoc\.ly\/[^"'`]*/g, 'data:,');
    }
  },
});

export default defineConfig({
  plugins: [react(), viewerWithoutBadge()],
  resolve: { alias: { '@': here('./src') } },
  build: {
    target: 'es2022',
    rollupOptions: { input: { app: here('./index.html'), docs: here('./api/docs/index.html') } },
    // The reference page's viewer is one large file, loaded by that page only.
    chunkSizeWarningLimit: 900,
    // The content security policy allows no data: scripts and few data: files; keep assets as files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: { '^/(api/(?!docs)|portal)': edge } },
  test: { environment: 'jsdom', globals: true, setupFiles: './src/testing/setup.ts', css: false },
});
