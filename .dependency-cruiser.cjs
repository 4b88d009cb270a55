/** The rooms and who may look into whom: imports go down only. See ARCHITECTURE.md. */
const room = (name) => `^src/lib/${name}/`;
const FLOOR = [
  '^src/lib/errors\\.ts$',
  '^src/lib/clock\\.ts$',
  '^src/lib/wake\\.ts$',
  '^src/lib/turns\\.ts$',
  room('input'),
];

/** Each room may use itself, the floor, and these. */
const MAY_USE = {
  judge: [],
  files: ['process'],
  process: [],
  threads: [],
  smoke: [],
  backup: ['process', 'files'],
  ledger: ['judge', 'process'],
  readings: ['judge', 'ledger'],
  explain: ['judge', 'ledger', 'readings'],
  stream: ['judge', 'ledger', 'readings'],
  view: ['judge', 'ledger', 'readings', 'explain', 'stream'],
  metrics: ['judge', 'ledger'],
  gates: ['judge', 'ledger', 'readings', 'process'],
  jobs: ['ledger', 'readings', 'process'],
  search: ['judge', 'ledger', 'readings', 'explain', 'threads'],
  replay: ['judge', 'ledger', 'readings', 'explain', 'threads'],
  evidence: ['judge', 'ledger', 'readings', 'explain', 'process', 'files'],
  canary: ['judge', 'ledger', 'readings', 'metrics', 'gates', 'jobs'],
};
const LIBRARY = Object.keys(MAY_USE);
const USES = { ...MAY_USE, app: LIBRARY };

const rooms = Object.entries(USES).map(([name, allowed]) => ({
  name: `room-${name}`,
  comment: `src/lib/${name} imports only what lies below it`,
  severity: 'error',
  from: { path: room(name) },
  to: { path: '^src/', pathNot: [room(name), ...FLOOR, ...allowed.map(room)] },
}));

/** Packages that belong to one place. */
const OWNERS = {
  'better-sqlite3': ['^src/lib/ledger/'],
  execa: ['^src/lib/process/', '^src/daemon/preload\\.ts$'],
  canonicalize: ['^src/lib/ledger/'],
  '@prometheus-io/lezer-promql': ['^src/lib/metrics/'],
  re2js: ['^src/lib/metrics/'],
  'prom-client': ['^src/demo/', '^src/daemon/'],
  '@modelcontextprotocol/server': ['^src/daemon/'],
  listr2: ['^src/cli/'],
  chalk: ['^src/cli/'],
  ink: ['^src/tui/'],
  react: ['^src/tui/'],
  'string-width': ['^src/tui/'],
  '@oclif/core': ['^src/cli/', '^src/commands/', '^src/hooks/', '^src/main\\.ts$'],
  yaml: ['^src/lib/input/', '^src/daemon/preload\\.ts$'],
  archiver: ['^src/lib/evidence/'],
  'age-encryption': ['^src/lib/backup/', '^src/daemon/preload\\.ts$'],
  'csv-parse': ['^src/lib/metrics/requests/'],
  yauzl: ['^src/lib/evidence/verify/zip\\.ts$'],
};

/** A folder's index.ts is its contract. What is loaded lazily names its file, so that no more than it is loaded. */
const INDEX = '/index\\.ts$';
const doors = [
  {
    name: 'other-rooms-by-their-index',
    from: { path: '^src/lib/([^/]+)/' },
    to: { path: '^src/lib/[^/]+/', pathNot: ['^src/lib/$1/', INDEX], dynamic: false },
  },
  {
    name: 'folders-beside-by-their-index',
    from: { path: '^src/lib/([^/]+)/([^/]+)/' },
    to: { path: '^src/lib/$1/[^/]+/', pathNot: ['^src/lib/$1/$2/', INDEX], dynamic: false },
    except: '^src/lib/ledger/verify/',
  },
  {
    name: 'folders-inside-by-their-index',
    from: { path: '^src/lib/([^/]+)/[^/]+\\.ts$' },
    to: { path: '^src/lib/$1/[^/]+/', pathNot: [INDEX], dynamic: false },
  },
  {
    name: 'library-by-its-indexes',
    from: { path: '^src/(commands|cli|daemon|demo|hooks|cockpit|tui)/' },
    to: { path: '^src/lib/[^/]+/', pathNot: [INDEX], dynamic: false },
  },
].map(({ except, from, ...rule }) => ({
  ...rule,
  comment: 'the index.ts of a folder is its contract: import from it, or lazily with import()',
  severity: 'error',
  from: { ...from, ...(except ? { pathNot: except } : {}) },
}));

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
      to: { path: ['^src/commands/', '^src/cli/', '^src/hooks/', '^src/demo/', '^src/daemon/', '^src/tui/'] },
    },
    {
      name: 'daemon-knows-no-command',
      severity: 'error',
      from: { path: '^src/daemon/' },
      to: { path: ['^src/commands/', '^src/cli/', '^src/hooks/', '^src/tui/'] },
    },
    {
      name: 'page-uses-what-runs-in-a-browser',
      severity: 'error',
      from: { path: '^src/cockpit/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/cockpit/',
          room('view'),
          room('stream'),
          room('judge'),
          room('explain'),
          room('replay'),
          room('input'),
          room('evidence/tree'),
        ],
      },
    },
    {
      name: 'nobody-imports-the-page',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cockpit/' },
      to: { path: '^src/cockpit/' },
    },
    {
      name: 'terminal-view-draws-what-it-is-given',
      severity: 'error',
      from: { path: '^src/tui/' },
      to: {
        path: '^src/',
        pathNot: ['^src/tui/', room('view'), room('explain'), room('judge'), room('app/watching'), ...FLOOR],
      },
    },
    {
      name: 'terminal-view-is-loaded-by-who-shows-it',
      comment: 'Ink and React take longer to load than most commands take',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/tui/' },
      to: { path: '^src/tui/', dynamic: false, dependencyTypesNot: ['type-only'] },
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
      from: { path: ['^src/lib/ledger/verify/', '^src/lib/evidence/(verify|tree)/'] },
      to: {
        path: [
          '^src/lib/ledger/(tree|sqlite)/',
          '^src/lib/evidence/(pack|leaves)/',
          '^src/lib/readings/',
          '^node_modules/archiver/',
        ],
        // How a database is opened is not what is verified.
        pathNot: '^src/lib/ledger/sqlite/(open|errors|schema-check)\\.ts$',
      },
    },
    {
      name: 'verifier-takes-types-of-the-log-only',
      severity: 'error',
      from: { path: ['^src/lib/ledger/verify/', '^src/lib/evidence/(verify|tree)/'] },
      to: { path: '^src/lib/ledger/[^/]+\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pure-rooms',
      comment: 'runs in a browser too',
      severity: 'error',
      from: { path: '^src/lib/(judge|explain|readings|stream|view)/' },
      to: { dependencyTypes: ['core'] },
    },
    ...doors,
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
