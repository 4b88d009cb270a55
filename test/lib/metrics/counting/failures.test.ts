import { expect } from 'chai';
import { looksLikeFailure } from '../../../../src/lib/metrics/counting/index.js';
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
    ['status_class', '5'],
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

describe('failures that are not selected', () => {
  const look = (series: readonly [string, number, string?][]) =>
    ok(series.map(([status, value, path = '/p']) => sample('r_total', value, { status, path })));
  const signalsOf = (errors: string, among = true): Signals => ({
    ...SIGNALS,
    histograms: {},
    requests: counters('r_total{path="/p"}'),
    errors: errorsOf(errors, among),
  });
  const lastOf = (errors: string, looks: readonly (readonly [string, number, string?][])[], among = true) =>
    looksAt(
      looks.map((series) => [look(series)]),
      signalsOf(errors, among),
    ).at(-1)!;

  it('are requests of which nobody knows whether they failed, from the first on', () => {
    const one = lastOf('r_total{path="/p",status="5xx"}', [
      [['200', 100]],
      [
        ['200', 200],
        ['500', 8],
        ['500', 50, '/health'],
      ],
      [
        ['200', 300],
        ['500', 12],
        ['503', 3],
        ['500', 90, '/health'],
      ],
    ]);
    expect(one.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 107 });
    expect(one.reading.waiting).to.deep.equal({ errors: { bad: 15, total: 15 } });
    expect(one.notes).to.include('status="500" looks like a failure, and errors do not select it');
  });

  it('are only those since the start', () => {
    const one = lastOf('r_total{path="/p",status="5xx"}', [
      [
        ['200', 100],
        ['500', 40],
      ],
      [
        ['200', 200],
        ['500', 40],
      ],
    ]);
    expect(one.reading.waiting).to.equal(undefined);
  });

  it('are none where they are selected, and none where errors are another counter', () => {
    for (const [errors, among] of [
      ['r_total{path="/p",status=~"5.."}', true],
      ['r_total{path="/p",status!="200"}', true],
      ['e_total', false],
    ] as const) {
      const one = lastOf(
        errors,
        [
          [['200', 100]],
          [
            ['200', 200],
            ['500', 8],
            ['503', 2],
          ],
        ],
        among,
      );
      expect(one.reading.waiting).to.equal(undefined);
      expect(one.notes.join()).not.to.contain('looks like a failure');
    }
  });
});
