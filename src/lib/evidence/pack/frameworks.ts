/**
 * Where a pack's files may serve as records that a framework asks for. It names articles; it promises no conformity, which
 * depends on the system and on the organisation that runs it.
 */
export const FRAMEWORKS: readonly { framework: string; article: string; shows: string; files: readonly string[] }[] = [
  {
    framework: 'EU AI Act (Regulation (EU) 2024/1689)',
    article: 'Art. 12 (record-keeping)',
    shows: 'events of releases, recorded as they happened and provably whole',
    files: ['audits.ndjson', 'checkpoint', 'completeness.json'],
  },
  {
    framework: 'EU AI Act (Regulation (EU) 2024/1689)',
    article: 'Art. 14 (human oversight)',
    shows: 'who asked, who stopped, and who overrode a verdict, with the reason given',
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
    shows: 'measurements of models in use that decisions were made on',
    files: ['observations.ndjson', 'policies/'],
  },
  {
    framework: 'NIST AI RMF 1.0',
    article: 'MEASURE 2.4, MEASURE 4.2',
    shows: 'behaviour of models in production, and the evidence that it met its targets',
    files: ['observations.ndjson', 'policies/', 'narrative.txt'],
  },
  {
    framework: 'NIST AI RMF 1.0',
    article: 'MANAGE 2.4, MANAGE 4.1',
    shows: 'that models were rolled back or held where their targets were missed, and by whom',
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
    shows: 'what was tested before a model was used, under which limits, and every exception to them',
    files: ['narrative.txt', 'policies/', 'audits.ndjson'],
  },
];
