import { expect, it } from 'vitest';
import { mediaTypeOf } from './media-types.ts';

it('a name says what a file is by its ending in any case, and an MLmodel is text', () => {
  expect(mediaTypeOf('plots/roc.PNG')).toBe('image/png');
  expect(mediaTypeOf('a/b.html')).toBe('text/html');
  expect(mediaTypeOf('model/MLmodel')).toBe('text/plain');
  expect(mediaTypeOf('MLmodel')).toBe('text/plain');
});

it('a name that says nothing has no type', () => {
  for (const name of ['model.onnx', 'README', 'x.constructor', 'notMLmodel', '.png/x']) expect(mediaTypeOf(name)).toBeUndefined();
});
