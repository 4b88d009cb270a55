/** The rooms and who may look into whom: imports go down only. See ARCHITECTURE.md. */
const room = (name) => `^src/lib/${name}/`;
const FLOOR = ['^src/lib/errors\\.ts$', '^src/lib/clock\\.ts$', room('input')];

/** Each room may use itself, the floor, and these. */
const MAY_USE = {
  judge: [],
  ledger: [room('judge')],
  explain: [room('judge'), room('ledger')],
  metrics: [room('judge'), room('ledger')],
  gates: [room('judge'), room('ledger'), room('process')],
  process: [],
  smoke: [],
  jobs: [room('ledger'), room('process')],
  search: [room('judge'), room('ledger'), room('explain')],
  replay: [room('judge'), room('ledger'), room('explain')],
  evidence: [room('judge'), room('ledger'), room('explain'), room('process')],
  canary: [room('judge'), room('ledger'), room('metrics'), room('gates'), room('jobs')],
  runtime: ['judge', 'ledger', 'explain', 'metrics', 'gates', 'jobs', 'search', 'canary', 'replay', 'evidence'].map(
    room,
  ),
};

const rooms = Object.entries(MAY_USE).map(([name, allowed]) => ({
  name: `room-${name}`,
  comment: `src/lib/${name} imports only what lies below it`,
  severity: 'error',
  from: { path: room(name) },
  to: { path: '^src/', pathNot: [room(name), ...FLOOR, ...allowed] },
}));

/** Packages that belong to one place. */
const OWNERS = {
  'better-sqlite3': ['^src/lib/ledger/'],
  execa: ['^src/lib/process/'],
  canonicalize: ['^src/lib/ledger/'],
  '@prometheus-io/lezer-promql': ['^src/lib/metrics/'],
  'prom-client': ['^src/demo/', '^src/daemon/'],
  '@modelcontextprotocol/server': ['^src/daemon/'],
  listr2: ['^src/cli/'],
  chalk: ['^src/cli/'],
  '@oclif/core': ['^src/cli/', '^src/commands/', '^src/hooks/', '^src/main\\.ts$'],
  yaml: ['^src/lib/input/'],
  archiver: ['^src/lib/evidence/'],
  yauzl: ['^src/lib/evidence/verify-pack-zip\\.ts$'],
};

const packages = Object.entries(OWNERS).map(([name, owners]) => ({
  name: `package-${name.replace(/[@/]/g, '')}`,
  comment: `${name} is used in one place only`,
  severity: 'error',
  from: { path: '^src/', pathNot: owners },
  to: { path: `^node_modules/${name.replace('/', '\\/')}/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'floor-imports-nothing-above',
      severity: 'error',
      from: { path: FLOOR },
      to: { path: '^src/', pathNot: FLOOR },
    },
    {
      name: 'library-knows-no-surface',
      severity: 'error',
      from: { path: '^src/lib/' },
      to: { path: ['^src/commands/', '^src/cli/', '^src/hooks/', '^src/demo/', '^src/daemon/'] },
    },
    {
      name: 'daemon-knows-no-command',
      severity: 'error',
      from: { path: '^src/daemon/' },
      to: { path: ['^src/commands/', '^src/cli/', '^src/hooks/'] },
    },
    {
      name: 'demo-stands-alone',
      severity: 'error',
      from: { path: '^src/demo/' },
      to: { path: '^src/', pathNot: ['^src/demo/', '^src/lib/errors\\.ts$'] },
    },
    {
      name: 'verifier-shares-nothing-with-the-writer',
      comment: "what checks the log must not repeat the writer's mistakes",
      severity: 'error',
      from: { path: ['^src/lib/ledger/verify', '^src/lib/evidence/merkle-verify'] },
      to: { path: '^src/lib/ledger/(sqlite-append|sqlite-read|sqlite\\.ts|merkle|group-commit|canonical)' },
    },
    {
      name: 'pack-verifier-shares-nothing-with-the-writer',
      comment: 'what checks a pack must not repeat the mistakes of what wrote it',
      severity: 'error',
      from: { path: '^src/lib/evidence/verify-' },
      to: {
        path: [
          '^src/lib/evidence/(pack|page-leaves|rehash|compact-range)',
          '^src/lib/ledger/(sqlite|pages|merkle|canonical|group-commit|ledger\\.ts)',
          '^node_modules/archiver/',
        ],
      },
    },
    {
      name: 'judge-is-pure',
      severity: 'error',
      from: { path: '^src/lib/(judge|explain)/' },
      to: { dependencyTypes: ['core'] },
    },
    ...rooms,
    ...packages,
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  },
};
