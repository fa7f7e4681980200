import { expect, it } from 'vitest';
import { keptEnvironment } from './launch.ts';

it('a model’s process has what chooses its devices, and no secret', () => {
  const kept = {
    PATH: '/bin',
    LC_ALL: 'C',
    CUDA_VISIBLE_DEVICES: '0',
    NVIDIA_VISIBLE_DEVICES: 'all',
    NVIDIA_DRIVER_CAPABILITIES: 'compute',
    OMP_NUM_THREADS: '2',
  };
  const secret = { NVIDIA_API_KEY: 'a', CUDA_TOKEN: 'b', VK_ACCESS_TOKEN: 'c', AWS_SECRET_ACCESS_KEY: 'd', BINNACLE_TOKEN: 'e' };
  expect(keptEnvironment({ ...kept, ...secret })).toEqual(kept);
});
