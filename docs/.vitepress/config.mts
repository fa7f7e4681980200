import { defineConfig } from 'vitepress';

export default defineConfig({
  title: 'Binnacle',
  description: 'From a notebook to monitored production',
  cleanUrls: true,
  themeConfig: {
    search: { provider: 'local' },
    sidebar: [
      { text: 'Start', items: [{ text: 'Overview', link: '/' }, { text: 'The demo', link: '/demo' }, { text: 'Command line', link: '/cli' }, { text: 'Configuration', link: '/configuration' }, { text: 'Security', link: '/security' }] },
      { text: 'Parts', items: [{ text: 'Tracking', link: '/tracking' }, { text: 'Artifacts and series', link: '/artifacts' }, { text: 'Interface', link: '/interface' }, { text: 'Logging from TypeScript', link: '/sdk' }, { text: 'Moving in', link: '/moving-in' }, { text: 'Upkeep', link: '/upkeep' }, { text: 'Model package', link: '/model-package' }, { text: 'Golden examples', link: '/golden-examples' }, { text: 'Gates', link: '/gates' }, { text: 'Serving', link: '/serving' }, { text: 'Model repositories', link: '/model-repository' }, { text: 'Models on other servers', link: '/remote-models' }, { text: 'Canaries', link: '/canaries' }, { text: 'Python models', link: '/python-models' }, { text: 'Batch', link: '/batch' }, { text: 'Monitoring', link: '/monitoring' }, { text: 'Training profile', link: '/training-profile' }] },
      { text: 'Inside', items: [{ text: 'Architecture', link: '/architecture' }, { text: 'Decisions', link: '/architecture#why-it-is-so' }, { text: 'Benchmarks', link: '/benchmarks' }, { text: 'ONNX backend tests', link: '/onnx-backend-tests' }] },
    ],
  },
});
