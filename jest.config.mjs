// Jest runs on Node 24 (scripts/run.mjs sees to that); swc compiles, and lets ESM-only packages load.
import { join } from 'node:path';
import { missingPrograms, services, testsWithServices } from './scripts/run/programs.mjs';

/** Tests that can't run on this machine; scripts/run.mjs tells of them. */
const withoutServices = missingPrograms(services).length > 0 ? testsWithServices(join(import.meta.dirname, 'test')) : [];

export default {
	testEnvironment: 'node',
	roots: ['<rootDir>/test'],
	testMatch: ['**/*.test.ts'],
	testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/n8n/', ...withoutServices],
	transform: { '^.+\\.(t|j|mj)s$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' } }] },
	transformIgnorePatterns: ['/node_modules/(?!(p-retry|is-network-error|p-map|p-limit|yocto-queue)/)'],
	testTimeout: 60_000,
	collectCoverageFrom: ['ordering/**/*.ts', 'evolution/**/*.ts', 'nodes/**/*.ts', 'credentials/**/*.ts'],
	coverageReporters: ['text', 'json-summary'],
	coverageThreshold: { './ordering/': { lines: 90 }, './evolution/': { lines: 90 } },
};
