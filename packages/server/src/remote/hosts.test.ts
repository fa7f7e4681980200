import { expect, it } from 'vitest';
import { checkHost } from './hosts.ts';

it.each([
  ['http://169.254.169.254', []],
  ['http://[fe80::1]:80', []],
  ['http://metadata.google.internal', []],
  ['http://metadata.google.internal.', []],
  ['grpc://0xa9fea9fe:80', []],
  ['grpc://2852039166:80', []],
  ['grpcs://169.254.43518', []],
  ['grpc://[::ffff:169.254.169.254]:80', []],
  ['lambda://169.254.169.254', []],
  ['http://other:8000', ['triton']],
  ['http://triton:8001', ['triton:8000']],
  ['http://evil-example.org', ['*.example.org']],
])('%s is refused with the list %j', (url, allowed) => {
  expect(() => checkHost(url, allowed)).toThrow('This server may not call');
});

it.each([
  ['http://10.0.0.1:8000', []],
  ['http://localhost', []],
  ['http://169.254.169.254', ['169.254.169.254']],
  ['grpc://Triton:8001', ['triton:8001']],
  ['https://a.example.org', ['*.example.org']],
  ['https://a.example.org', ['a.example.org:443']],
  ['lambda://eu-west-1', ['triton']],
])('%s is let through with the list %j', (url, allowed) => {
  expect(() => checkHost(url, allowed)).not.toThrow();
});

it.each([
  ['http://10.0.0.1:8000', []],
  ['https://lambda.eu-west-1.amazonaws.com.example.org', []],
  ['http://lambda.eu-west-1.amazonaws.com', []],
  ['https://localstack:4566', ['triton']],
])('signed calls to %s are refused with the list %j', (url, allowed) => {
  expect(() => checkHost(url, allowed, true)).toThrow('This server may not call');
});

it.each([
  ['lambda://eu-west-1', []],
  ['https://lambda.eu-west-1.amazonaws.com', []],
  ['https://lambda-fips.us-east-1.amazonaws.com', ['triton']],
  ['http://localstack:4566', ['localstack']],
])('signed calls to %s are let through with the list %j', (url, allowed) => {
  expect(() => checkHost(url, allowed, true)).not.toThrow();
});
