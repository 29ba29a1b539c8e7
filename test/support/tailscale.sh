#!/bin/sh
# Answers as Tailscale's command line does: its JSON, its complaints, its exit codes. Answers lie beside it.
here=$(dirname "$0")
echo "$*" >> "$here/calls"
if [ -e "$here/stopped" ]; then
  echo "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)" >&2
  exit 1
fi
case "$1 $2" in
"status --json")
  cat "$here/status.json"
  ;;
"whois --json")
  peer=${3%:*}
  peer=${peer#[}
  answer="$here/whois-${peer%]}.json"
  if [ ! -e "$answer" ]; then
    echo "peer not found" >&2
    exit 1
  fi
  cat "$answer"
  ;;
*)
  echo "unknown command: $*" >&2
  exit 2
  ;;
esac
