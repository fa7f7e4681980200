import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const backend = process.env['BINNACLE_URL'] ?? 'http://127.0.0.1:8000';

// Vite asks for a default export.
export default defineConfig({
  base: '/ui/',
  plugins: [react()],
  // Another dependency of the workspace pulls in an older React; one page must hold one React only.
  resolve: { dedupe: ['react', 'react-dom'] },
  build: {
    outDir: 'dist',
    target: 'es2022',
    // These know light-dark(); older ones would get a rewrite that breaks it.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0,
  },
  // `vite dev` is for working on the interface: everything but /ui goes to a running Binnacle.
  server: { proxy: Object.fromEntries(['/api', '/endpoints', '/v2', '/health', '/metrics'].map((path) => [path, backend])) },
});
