/**
 * Small stand-ins for the programs of tonistiigi/xx that moby's Dockerfile uses
 * (https://github.com/tonistiigi/xx/tree/v1.6.1/src), by name. They know the platforms that moby is built for and no C
 * compilers.
 */
export const crossCompileScripts: Readonly<Record<string, string>> = {
  'xx-info': `#!/bin/sh
set -e
if [ -n "$TARGETPLATFORM" ]; then
  TARGETOS=$(echo "$TARGETPLATFORM" | cut -d/ -f1)
  TARGETARCH=$(echo "$TARGETPLATFORM" | cut -d/ -f2)
  TARGETVARIANT=$(echo "$TARGETPLATFORM" | cut -d/ -f3)
fi
: "\${TARGETOS:=linux}"
if [ -z "$TARGETARCH" ]; then
  case $(uname -m) in
    x86_64) TARGETARCH=amd64 ;;
    aarch64) TARGETARCH=arm64 ;;
    armv7l) TARGETARCH=arm TARGETVARIANT=v7 ;;
    armv6l) TARGETARCH=arm TARGETVARIANT=v6 ;;
    *) TARGETARCH=$(uname -m) ;;
  esac
fi
if [ "$TARGETARCH" = arm ]; then : "\${TARGETVARIANT:=v7}"; fi
case $TARGETARCH$TARGETVARIANT in
  amd64*) march=x86_64 debian=amd64 triple=x86_64-linux-gnu ;;
  arm64*) march=aarch64 debian=arm64 triple=aarch64-linux-gnu ;;
  armv5) march=armv5l debian=armel triple=arm-linux-gnueabi ;;
  armv6) march=armv6l debian=armel triple=arm-linux-gnueabi ;;
  arm*) march=armv7l debian=armhf triple=arm-linux-gnueabihf ;;
  386) march=i386 debian=i386 triple=i686-linux-gnu ;;
  ppc64le) march=ppc64le debian=ppc64el triple=powerpc64le-linux-gnu ;;
  *) march=$TARGETARCH debian=$TARGETARCH triple=$TARGETARCH-linux-gnu ;;
esac
if [ "$TARGETOS" = windows ]; then triple=$march-w64-mingw32; fi
case $1 in
  '' | triple) echo "$triple" ;;
  os) echo "$TARGETOS" ;;
  arch) echo "$TARGETARCH" ;;
  variant) echo "$TARGETVARIANT" ;;
  march) echo "$march" ;;
  debian-arch | pkg-arch) echo "$debian" ;;
  vendor) echo debian ;;
  libc) echo gnu ;;
  is-cross) ! { [ "$march" = "$(uname -m)" ] && [ "$TARGETOS" = linux ]; } ;;
  env)
    echo "XX_OS=$TARGETOS"
    echo "XX_ARCH=$TARGETARCH"
    echo "XX_MARCH=$march"
    echo "XX_PKG_ARCH=$debian"
    echo "XX_TRIPLE=$triple"
    echo "TARGETOS=$TARGETOS"
    echo "TARGETARCH=$TARGETARCH"
    echo "TARGETVARIANT=$TARGETVARIANT"
    ;;
  *) echo >&2 "unknown command $1" && exit 1 ;;
esac
`,
  // As the real one, --wrap makes every later go command cross-compile by writing go's own settings file.
  'xx-go': `#!/bin/sh
set -e
GOOS=$(xx-info os)
GOARCH=$(xx-info arch)
variant=$(xx-info variant)
export GOOS GOARCH
if [ "$GOARCH" = arm ]; then
  : "\${GOARM:=\${variant#v}}"
  export GOARM
fi
case $1 in
  --wrap)
    settings=$(go env GOENV)
    mkdir -p "$(dirname "$settings")"
    printf 'GOOS=%s\\nGOARCH=%s\\n' "$GOOS" "$GOARCH" > "$settings"
    if [ -n "$GOARM" ]; then echo "GOARM=$GOARM" >> "$settings"; fi
    ;;
  --unwrap) rm -f "$(go env GOENV)" ;;
  *) exec go "$@" ;;
esac
`,
  // Looks at the first bytes only; --static is taken on trust.
  'xx-verify': `#!/bin/sh
set -e
case $(xx-info os) in
  windows) expected=4d5a ;;
  *) expected=7f45 ;;
esac
for file in "$@"; do
  case $file in -*) continue ;; esac
  if [ ! -f "$file" ]; then echo >&2 "file not found: $file" && exit 1; fi
  if [ "$(od -An -tx1 -N2 "$file" | tr -d ' ')" != "$expected" ]; then
    echo >&2 "file $file does not match expected target OS $(xx-info os)" && exit 1
  fi
done
`,
  'xx-apk': '#!/bin/sh\nexec apk "$@"\n',
  'xx-apt-get': '#!/bin/sh\nexec apt-get "$@"\n',
  'xx-apt': '#!/bin/sh\nexec apt-get "$@"\n'
}
