import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// In development the API answers from the edge; its address is set when it is not the usual one.
const edge = process.env.PRAXIS_PUBLIC_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
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
