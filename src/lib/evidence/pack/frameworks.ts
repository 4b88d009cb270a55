/**
 * Articles of laws and standards that ask for such records, and the files of a pack that may serve. This is not a promise of
 * conformity, which depends on the system and on the organisation that runs it.
 */
export const FRAMEWORKS: readonly { framework: string; article: string; shows: string; files: readonly string[] }[] = [
  {
    framework: 'EU AI Act (Regulation (EU) 2024/1689)',
    article: 'Art. 12 (record-keeping)',
    shows: 'release events, recorded as they happened and provably complete',
    files: ['audits.ndjson', 'checkpoint', 'completeness.json'],
  },
  {
    framework: 'EU AI Act (Regulation (EU) 2024/1689)',
    article: 'Art. 14 (human oversight)',
    shows: 'who requested, stopped or overrode a release, and the reason given',
    files: ['narrative.txt', 'audits.ndjson'],
  },
  {
    framework: 'EU AI Act (Regulation (EU) 2024/1689)',
    article: 'Art. 19 (automatically generated logs)',
    shows: 'the logs themselves, as they were recorded',
    files: ['audits.ndjson'],
  },
  {
    framework: 'EU AI Act (Regulation (EU) 2024/1689)',
    article: 'Art. 72 (post-market monitoring)',
    shows: 'measurements of models in use, and the decisions based on them',
    files: ['observations.ndjson', 'policies/'],
  },
  {
    framework: 'NIST AI RMF 1.0',
    article: 'MEASURE 2.4, MEASURE 4.2',
    shows: 'behaviour of models in production, and evidence that they met their targets',
    files: ['observations.ndjson', 'policies/', 'narrative.txt'],
  },
  {
    framework: 'NIST AI RMF 1.0',
    article: 'MANAGE 2.4, MANAGE 4.1',
    shows: 'models rolled back or blocked when they missed their targets, and by whom',
    files: ['narrative.txt', 'audits.ndjson'],
  },
  {
    framework: 'ISO/IEC 42001:2023',
    article: '9.1 (monitoring, measurement, analysis and evaluation), A.6.2.6, A.6.2.8',
    shows: 'operation and monitoring of AI systems, and their event logs',
    files: ['audits.ndjson', 'observations.ndjson'],
  },
  {
    framework: 'SR 26-2 (model risk management)',
    article: 'ongoing monitoring; governance and controls',
    shows: 'what was tested before a model was used, the limits applied, and every exception to them',
    files: ['narrative.txt', 'policies/', 'audits.ndjson'],
  },
];
