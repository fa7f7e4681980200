import { expect, it } from 'vitest';
import { errorText } from './http-peer.ts';

const said = (body: string) => errorText({ status: 500, headers: {}, body: Buffer.from(body) });

it('says what a server says, without the tags of a page', () => {
  expect(said('{"error":"no such model"}')).toBe('no such model');
  expect(said('<p class="a">too <b>busy</b>')).toBe(' too  busy ');
});

it('a tag begins at its own bracket, not at one before', () => {
  expect(said('3 < 4 <i>now</i>')).toBe('3 < 4  now ');
  expect(said('<'.repeat(20_000))).toBe('<'.repeat(8192));
});
