// The tools that compiling sqlite3 for n8n needs, and what to say when one is missing.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NEEDED = ['g++', 'make', 'python3'] as const;

/** Which of g++, make and python3 are not on the PATH. */
export function missingTools(path = process.env.PATH ?? '', needed: readonly string[] = NEEDED): string[] {
	return needed.filter((tool) => !path.split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, tool))));
}

/** One message that names the missing tools and the command that brings them. */
export function missingToolsMessage(missing: string[], platform: NodeJS.Platform = process.platform): string {
	return `n8n's database driver (sqlite3) is compiled here, and that needs: ${missing.join(', ')}.\nInstall with: ${installCommand(missing, platform)}`;
}

function installCommand(missing: string[], platform: NodeJS.Platform): string {
	if (platform === 'darwin') {
		const compiler = missing.some((tool) => tool !== 'python3') ? ['xcode-select --install'] : [];
		return [...compiler, ...(missing.includes('python3') ? ['brew install python'] : [])].join(' && ');
	}
	if (platform === 'win32') return 'winget install Python.Python.3.12 Microsoft.VisualStudio.2022.BuildTools (with its C++ workload)';
	return `sudo apt-get update && sudo apt-get install -y ${missing.join(' ')}   (or the same packages by your system's package manager)`;
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
