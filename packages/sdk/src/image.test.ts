import { expect, it } from 'vitest';
import { imageInput, imageRequest, imageTensor, topScores } from './image.ts';

const spec = (shape: number[], datatype = 'FP32') => [{ name: 'x', datatype, shape }];

it('knows an image by its four dimensions and its channels', () => {
  expect(imageInput(spec([-1, 3, 224, 224]))).toEqual({ name: 'x', datatype: 'FP32', layout: 'NCHW', channels: 3, height: 224, width: 224 });
  expect(imageInput(spec([-1, -1, -1, 1], 'UINT8'))).toEqual({ name: 'x', datatype: 'UINT8', layout: 'NHWC', channels: 1, height: null, width: null });
  expect(imageInput(spec([-1, 12]))).toBeUndefined();
  expect(imageInput(spec([-1, 3, 8, 8], 'INT64'))).toBeUndefined();
  expect(imageInput([...spec([-1, 3, 8, 8]), ...spec([-1, 1])])).toBeUndefined();
});

// A red and a white pixel.
const pixels = Uint8ClampedArray.of(255, 0, 0, 255, 255, 255, 255, 255);

it('puts the channels where the layout has them', () => {
  const [nchw, nhwc] = [imageInput(spec([-1, 3, 1, 2])), imageInput(spec([-1, 1, 2, 3]))];
  expect([...imageTensor(pixels, 2, 1, nchw as never, '0–1')]).toEqual([1, 1, 0, 1, 0, 1]);
  expect([...imageTensor(pixels, 2, 1, { ...(nhwc as object), layout: 'NHWC', channels: 3 } as never, '0–255')]).toEqual([255, 0, 0, 255, 255, 255]);
  const net = imageTensor(pixels, 2, 1, nchw as never, 'ImageNet');
  expect(net[0]).toBeCloseTo((1 - 0.485) / 0.229, 5);
  expect(net[2]).toBeCloseTo(-0.456 / 0.224, 5);
  const grey = imageTensor(pixels, 2, 1, imageInput(spec([-1, 1, 1, 2], 'UINT8')) as never, '0–1');
  expect([...grey]).toEqual([76, 255]);
  // 0.299 · 0 + 0.587 · 1 + 0.114 · 1 = 0.701: the nearest byte.
  expect([...imageTensor([0, 1, 1, 255], 1, 1, imageInput(spec([-1, 1, 1, 1], 'UINT8')) as never, '0–1')]).toEqual([1]);
});

it('sends the values behind the JSON', () => {
  const input = imageInput(spec([-1, 3, 1, 2])) as never;
  const data = imageTensor(pixels, 2, 1, input, '0–1');
  const { body, headerBytes } = imageRequest(data, 2, 1, input);
  expect(JSON.parse(new TextDecoder().decode(body.subarray(0, headerBytes)))).toEqual({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3, 1, 2], parameters: { binary_data_size: 24 } }],
  });
  expect(body.length).toBe(headerBytes + 24);
});

it('finds the best classes of one row', () => {
  expect(topScores({ outputs: [{ shape: [1, 3], data: [0.1, 0.7, 0.2] }] }, 2)).toEqual([
    { index: 1, value: 0.7 },
    { index: 2, value: 0.2 },
  ]);
  expect(topScores({ outputs: [{ shape: [1], data: [3] }] })).toBeUndefined();
  expect(topScores({})).toBeUndefined();
  expect(topScores(null)).toBeUndefined();
});

it('calls the classes what the model calls them', () => {
  const labels = { p: ['cat', '', 'dog'] };
  expect(topScores({ outputs: [{ name: 'p', shape: [1, 3], data: [0.1, 0.2, 0.7] }] }, 2, labels)).toEqual([
    { index: 2, value: 0.7, label: 'dog' },
    { index: 1, value: 0.2 },
  ]);
  expect(topScores({ outputs: [{ name: 'toString', shape: [1, 2], data: [1, 2] }] }, 1, labels)).toEqual([{ index: 1, value: 2 }]);
  expect(topScores({ predictions: [{ label: 'cat', p: [0.8, 0.1, 0.1] }] }, 1, labels)).toEqual([{ index: 0, value: 0.8, label: 'cat' }]);
  expect(topScores({ predictions: { label: [2], p: [[0.1, 0.1, 0.8]] } }, 1, labels)).toEqual([{ index: 2, value: 0.8, label: 'dog' }]);
  expect(
    topScores(
      {
        predictions: {
          p: [
            [1, 0],
            [0, 1],
          ],
        },
      },
      1,
      labels,
    ),
  ).toBeUndefined();
  expect(topScores({ predictions: { label: [1, 2] } }, 1, labels)).toBeUndefined();
  expect(topScores({ predictions: [{ p: [1, 0] }, { p: [0, 1] }] }, 1, labels)).toBeUndefined();
});
