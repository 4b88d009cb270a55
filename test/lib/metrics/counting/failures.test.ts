import { expect } from 'chai';
import { looksLikeFailure, unselectedFailures } from '../../../../src/lib/metrics/counting/index.js';
import type { Signals } from '../../../../src/lib/metrics/signals/index.js';
import { counters, errorsOf, looksAt, ok, SIGNALS, sample } from './given.js';

describe('a label value', () => {
  const failures = [
    '500',
    '503',
    '5xx',
    '5XX',
    '5..',
    'error',
    'SERVER_ERROR',
    'failed',
    'Failure',
    'abort',
    'aborted',
  ];
  const more = [
    'timeout',
    'UNAVAILABLE',
    'INTERNAL',
    'DEADLINE_EXCEEDED',
    'java.io.IOException',
    'InternalServerError',
  ];
  for (const value of [...failures, ...more]) {
    it(`${value} looks like a failure`, () => expect(looksLikeFailure(value)).to.equal(true));
  }
  const fine = [
    '200',
    '2xx',
    '404',
    '4xx',
    '',
    'ok',
    'success',
    'no_error',
    'CLIENT_ERROR',
    'stop',
    'length',
    '5',
    '50',
    '5000',
  ];
  for (const value of [...fine, 'none', 'SUCCESS', 'NOT_FOUND', 'None', 'cancelled']) {
    it(`${value === '' ? 'that is empty' : value} does not`, () => expect(looksLikeFailure(value)).to.equal(false));
  }
});

describe('a label value with its label', () => {
  for (const [label, value] of [
    ['success', 'false'],
    ['is_error', '1'],
    ['grpc_status_code', '14'],
    ['rpc.grpc.status_code', '13'],
    ['exception', 'KeyMissing'],
  ] as const)
    it(`${label}="${value}" looks like a failure`, () => expect(looksLikeFailure(value, label)).to.equal(true));
  for (const [label, value] of [
    ['success', 'true'],
    ['cached', 'false'],
    ['is_error', '0'],
    ['error_type', ''],
    ['error_code', '404'],
    ['grpc_code', 'NotFound'],
    ['shard', '14'],
  ] as const)
    it(`${label}="${value}" does not`, () => expect(looksLikeFailure(value, label)).to.equal(false));
});

describe('failures that have not happened yet', () => {
  it('are told with the labels that tell them, not with those that select requests as well', () => {
    const signals: Signals = {
      ...SIGNALS,
      requests: counters('r_total{path="/p"}'),
      errors: errorsOf('r_total{path="/p",status=~"5.."}', true),
    };
    const [first] = looksAt([[ok([sample('r_total', 9, { path: '/p', status: '200' })])]], signals);
    expect(first!.notes.map((note) => JSON.stringify(note)).join()).to.contain(
      '(status seen: 200): counted as no failure',
    );
  });
});

describe('unselectedFailures', () => {
  const find = (errors: string, samples: [string, string?][], among = true) => {
    const signals: Signals = { ...SIGNALS, requests: counters('r_total{path="/p"}'), errors: errorsOf(errors, among) };
    const series = samples.map(([status, path = '/p']) => sample('r_total', 1, { status, path }));
    return unselectedFailures({ targets: [ok(series)] }, signals);
  };

  it('names values that errors should select and do not', () => {
    const found = find('r_total{path="/p",status="5xx"}', [['200'], ['500'], ['503'], ['500', '/health']]);
    expect(found.map(({ label, value }) => `${label}=${value}`)).to.deep.equal(['status=500', 'status=503']);
  });

  it('names none that they select, and none where errors are another counter', () => {
    expect(find('r_total{path="/p",status=~"5.."}', [['200'], ['500']])).to.deep.equal([]);
    expect(find('r_total{path="/p",status!="200"}', [['200'], ['error']])).to.deep.equal([]);
    expect(find('e_total', [['500']], false)).to.deep.equal([]);
  });
});
