import type { Machine } from './machine.ts';

/** Where the packages of a test machine come from. */
const REPOSITORY = '/var/repository';

/** Makes a folder of the machine the only source of packages. */
export async function ownRepository(machine: Machine): Promise<void> {
  const script = `set -e
    mkdir -p ${REPOSITORY}
    rm -rf /etc/apt/sources.list.d/* /etc/apt/preferences.d/* /var/lib/apt/lists/*
    echo "deb [trusted=yes] file:${REPOSITORY} ./" > /etc/apt/sources.list
    : > ${REPOSITORY}/Packages`;
  await machine.run(['sh', '-c', script]);
}

/** What a package does when it is installed. */
export interface Parts {
  /** Its postinst, a shell script. */
  postinst?: string;
  /** Content of its configuration file, /etc/<name>.conf. */
  configuration?: string;
}

/** Builds a package and adds it to the repository. @returns path of the .deb */
export async function publish(
  machine: Machine,
  name: string,
  version: string,
  parts: Parts = {},
): Promise<string> {
  const folder = `/var/tmp/${name}-${version}`;
  const file = `${name}_${version}_all.deb`;
  const control = `Package: ${name}
Version: ${version}
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: for a test
`;
  await machine.writeFile(`${folder}/DEBIAN/control`, control);
  await machine.writeFile(`${folder}/DEBIAN/postinst`, `#!/bin/sh\n${parts.postinst ?? ''}\nexit 0\n`, '755');
  if (parts.configuration !== undefined) {
    await machine.writeFile(`${folder}/etc/${name}.conf`, parts.configuration);
    await machine.writeFile(`${folder}/DEBIAN/conffiles`, `/etc/${name}.conf\n`);
  }
  const script = `set -e
    cd ${REPOSITORY}
    dpkg-deb --root-owner-group --build ${folder} ${file} >/dev/null
    { dpkg-deb --field ${file}; echo "Filename: ./${file}"; echo "Size: $(stat -c %s ${file})"
      echo "SHA256: $(sha256sum ${file} | cut -d' ' -f1)"; echo; } >> Packages`;
  await machine.run(['sh', '-c', script]);
  return `${REPOSITORY}/${file}`;
}
