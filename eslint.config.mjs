// Lint: TypeScript's rules, n8n's official rules for community nodes (self-hosted set), and the one-way imports.
import eslint from '@eslint/js';
import { n8nCommunityNodesPlugin } from '@n8n/eslint-plugin-community-nodes';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import n8nNodesBase from 'eslint-plugin-n8n-nodes-base';
import tseslint from 'typescript-eslint';

/** Forbids imports of the given folders, and of n8n where asked. */
const without = (folders, reason, n8n = true) => ({
	'no-restricted-imports': ['error', { patterns: [{ group: folders.map((folder) => `**/${folder}/**`).concat(folders.map((folder) => `**/${folder}`)), message: reason }, ...(n8n ? [{ group: ['n8n-workflow', 'n8n-core'], message: 'Only nodes/ and credentials/ know n8n.' }] : [])] }],
});

export default tseslint.config(
	{ ignores: ['dist/**', '.cache/**', 'coverage/**', 'node_modules/**'] },
	{
		files: ['**/*.{ts,mts}'],
		extends: [eslint.configs.recommended, tseslint.configs.recommended, importX.configs['flat/recommended']],
		settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()], 'import-x/core-modules': ['node:sqlite'] },
	},
	{ files: ['nodes/**/*.ts', 'credentials/**/*.ts', 'ordering/**/*.{ts,mts}', 'evolution/**/*.ts', 'package.json'], extends: [n8nCommunityNodesPlugin.configs.recommendedWithoutN8nCloudSupport] },
	{ files: ['package.json'], languageOptions: { parser: tseslint.parser, parserOptions: { extraFileExtensions: ['.json'] } }, plugins: { 'n8n-nodes-base': n8nNodesBase }, rules: n8nNodesBase.configs.community.rules },
	{
		files: ['credentials/**/*.ts'],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		// as in n8n's own lint of community nodes: this one rule is for n8n's main repository, and wants a slug where the
		// community rule credential-documentation-url wants an address
		rules: { ...n8nNodesBase.configs.credentials.rules, 'n8n-nodes-base/cred-class-field-documentation-url-miscased': 'off' },
	},
	{ files: ['nodes/**/*.ts'], plugins: { 'n8n-nodes-base': n8nNodesBase }, rules: n8nNodesBase.configs.nodes.rules },
	{ files: ['evolution/**/*.ts'], rules: without(['ordering', 'nodes', 'simulator'], 'Imports point one way: nodes → ordering → evolution.') },
	{ files: ['ordering/**/*.{ts,mts}'], rules: without(['nodes', 'simulator'], 'Imports point one way: nodes → ordering → evolution.') },
	{ files: ['nodes/**/*.ts', 'credentials/**/*.ts'], rules: without(['evolution', 'simulator'], 'Nodes use what ordering/index.ts gives them.', false) },
);
