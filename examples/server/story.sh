#!/usr/bin/env bash
# The life of an organization, told to a server with nothing but curl: first operator, organization, invitation, token,
# connectors, connection with a credential, discover, sync, schedule, rejected rows, reprocess, export, events, deletion,
# and a verified audit log.
#
#   story.sh COFFERDAM COMPONENTS API DIRECTORY
#
# COFFERDAM: the program. COMPONENTS: a folder with `quakes.wasm` (made of `manifest.yaml` beside this file), `null.wasm` and
# `webhook.wasm`. API: where the API is that `quakes.wasm` reads, as `http://127.0.0.1:PORT`; it wants the bearer token `the-token-of-the-quakes`.
# DIRECTORY: must not be there; everything is put into it. `cargo xtask story` makes and starts what is needed.
set -euo pipefail

cofferdam=$1 components=$2 api=$3 directory=$4
password='a canary bird in a coal mine'
secret='the-token-of-the-quakes'
# Its keys lie beside it, and not in it.
rm -f "$directory.key"
mkdir "$directory"

# --- asking ----------------------------------------------------------------------------------------------------------------
said=$directory/said head=$directory/head

# ask TOKEN METHOD PATH [what curl wants]: the answer is in $said, its head in $head.
ask() {
    local token=$1 method=$2 path=$3
    shift 3
    local status
    status=$(curl --silent --show-error --output "$said" --dump-header "$head" --write-out '%{http_code}' \
        --request "$method" ${token:+--header "authorization: Bearer $token"} "$@" "$server$path")
    if [[ $status != 2* ]]; then
        echo "$method $path: $status $(cat "$said")" >&2
        return 1
    fi
}

# The first value of a field of the last answer: a text, or a number.
text() { grep -o "\"$1\":\"[^\"]*\"" "$said" | head -n 1 | cut -d '"' -f 4; }
number() { grep -o "\"$1\":[0-9]*" "$said" | head -n 1 | cut -d : -f 2; }
# What a change of what was read last must name.
tag() { sed -n 's/^etag: *\([^\r]*\).*/\1/Ip' "$head"; }
step() { printf '\n== %s\n' "$*"; }

# until WHAT COMMAND...: it becomes true within a minute.
until_true() {
    local what=$1
    shift
    for _ in $(seq 300); do
        if "$@"; then return; fi
        sleep 0.2
    done
    echo "this did not happen within a minute: $what; the last answer was $(cat "$said")" >&2
    return 1
}

# --- the server ------------------------------------------------------------------------------------------------------------
step 'a server on an empty directory, and its first operator'
cat > "$directory/serve.toml" <<EOF
listen = "127.0.0.1:0"
grantable = "${api#http://}"
EOF
"$cofferdam" serve --data "$directory/data" --key-file "$directory.key" --config "$directory/serve.toml" \
    > "$directory/out" 2> "$directory/log" &
process=$!
trap 'kill "$process" 2> /dev/null || true' EXIT
: > "$said"
until_true 'the server listens' grep --quiet listening "$directory/out"
server=$(sed -n 's/^listening on //p' "$directory/out")
until_true 'it tells how the first operator is made' grep --quiet '"token"' "$directory/log"
setup=$(grep -o '"token": "[^"]*' "$directory/log" | cut -d '"' -f 4)
ask '' POST /v1/setup --json "{\"token\": \"$setup\", \"email\": \"op@host.example\", \"password\": \"$password\"}"
log_in() {
    ask '' POST /v1/login --json "{\"email\": \"$1\", \"password\": \"$password\", \"keep\": \"token\"}"
    text token
}
operator=$(log_in op@host.example)
echo "$server"

step 'an organization, its admin, and a second one who was invited'
ask "$operator" POST /v1/organizations --json '{"name": "Acme", "admin_email": "ada@acme.example"}'
organization=$(text id) invitation=$(text token)
at=/v1/organizations/$organization
ask '' POST /v1/join --json "{\"token\": \"$invitation\", \"password\": \"$password\"}"
ada=$(log_in ada@acme.example)
ask "$ada" POST "$at/invitations" --json '{"email": "bob@acme.example", "role": "admin"}'
ask '' POST /v1/join --json "{\"token\": \"$(text token)\", \"password\": \"$password\"}"
bob=$(log_in bob@acme.example)

step 'a token for programs: the rest is done with it, but for what a person must do'
ask "$ada" POST "$at/tokens" --json '{"name": "story", "scopes": ["read", "write", "run", "admin"], "days": 1}'
token=$(text token)

step 'connectors are uploaded, judged and installed; nothing of them runs'
install() {
    ask "$token" POST "$at/connectors" --header 'content-type: application/wasm' --data-binary "@$components/$1.wasm"
    text digest
}
quakes=$(install quakes) null=$(install null) webhook=$(install webhook)
echo "$quakes quakes"

step 'a connection: configuration, consent, and a credential that nobody reads again'
ask "$token" POST "$at/connections" \
    --json "{\"name\": \"Quakes\", \"digest\": \"$quakes\", \"config\": {\"base_url\": \"$api\"}}"
source=$(text id)
ask "$ada" PUT "$at/connections/$source/consent" --header "if-match: $(tag)" \
    --json "{\"hosts\": [{\"url\": \"$api\", \"methods\": [\"GET\"]}],
             \"addresses\": [{\"network\": \"127.0.0.1/32\", \"port\": ${api##*:}}]}"
credential=$(text ask)
ask "$token" PUT "$at/connections/$source/credentials/$credential" --header "if-match: $(tag)" \
    --json "{\"fields\": {\"token\": \"$secret\"}}"
ask "$token" POST "$at/connections/$source/check"
ask "$token" POST "$at/connections/$source/discover"
ask "$token" GET "$at/connections/$source/catalog"
echo "it has the stream $(text name)"

step 'a destination that rejects each fiftieth row, and a sync with a schedule'
ask "$token" POST "$at/connections" \
    --json "{\"name\": \"Nowhere\", \"digest\": \"$null\", \"config\": {\"reject_every\": 50}}"
destination=$(text id)
sync() { # NAME SOURCE MORE
    ask "$token" POST "$at/syncs" --json "{\"name\": \"$1\", \"source\": \"$2\", \"destination\": \"$destination\"$3}"
    text id
}
quake_sync=$(sync 'Quakes to nowhere' "$source" ', "rejects": {"max_rate": 0.5},
    "schedule": {"when": {"cron": {"pattern": "0 6 * * MON-FRI", "zone": "Europe/Berlin"}}}')

step 'a run, by hand'
# ended SYNC RUNS: so many runs of the sync have ended well.
ended() {
    ask "$token" GET "$at/syncs/$1/runs"
    [[ $(grep -o '"outcome":"completed"' "$said" | wc -l) -ge $2 ]]
}
ask "$token" POST "$at/syncs/$quake_sync/start"
ask "$token" POST "$at/syncs/$quake_sync/runs"
until_true 'the run has ended' ended "$quake_sync" 1
ask "$token" GET "$at/syncs/$quake_sync/runs/1/report"
cat "$said" && echo

step 'what was rejected: counted, exported, and sent again once the destination is mended'
ask "$token" GET "$at/syncs/$quake_sync/errors/counts"
cat "$said" && echo
ask "$token" GET "$at/syncs/$quake_sync/errors/export"
rejected=$(wc -l < "$said")
cp "$said" "$directory/rejected.jsonl"
((rejected > 0)) || { echo 'no row was rejected' >&2; exit 1; }
ask "$token" GET "$at/connections/$destination"
ask "$token" PUT "$at/connections/$destination" --header "if-match: $(tag)" \
    --json "{\"name\": \"Nowhere\", \"digest\": \"$null\", \"config\": {}}"
ask "$token" POST "$at/syncs/$quake_sync/reprocess" --json '{"run": 1}'
until_true 'the reprocess has ended' ended "$quake_sync" 2
ask "$token" GET "$at/syncs/$quake_sync/errors/export"
[[ ! -s $said ]] || { echo "rows are still rejected: $(cat "$said")" >&2; exit 1; }
echo "$rejected rows were rejected, and none is any more"

step 'events: a URL with a secret token, and a run that moves what has come'
ask "$token" POST "$at/connections" --json "{\"name\": \"Hook\", \"digest\": \"$webhook\", \"config\": {\"events\": [\"paid\"]}}"
hook=$(text id)
hook_sync=$(sync 'Events to nowhere' "$hook" '')
ask "$token" POST "$at/syncs/$hook_sync/endpoint"
url=$(text url)
ask "$token" POST "$at/syncs/$hook_sync/start"
for order in 1 2 3; do
    ask '' POST "${url#"$server"}" --header 'x-event: paid' --json "{\"order\": $order}"
done
until_true 'the events were moved' ended "$hook_sync" 1
emptied() {
    ask "$token" GET "$at/syncs/$hook_sync/endpoint/queue"
    [[ $(number waiting) == 0 ]]
}
until_true 'nothing waits any more' emptied
cat "$said" && echo

step "the organization's audit log, verified by another program than the one that wrote it"
ask "$ada" GET "$at/audit/export"
cp "$said" "$directory/audit.jsonl"
"$cofferdam" audit verify "$directory/audit.jsonl"

step 'the organization is deleted: one admin asks for it, the other agrees'
ask "$ada" POST "$at/deletion" --json '{"name": "Acme"}'
ask "$bob" POST "$at/deletion/confirm" --json '{"name": "Acme"}'
cat "$said" && echo
if ask "$token" GET "$at/syncs" 2> /dev/null; then
    echo 'the organization is still there' >&2
    exit 1
fi
ask "$operator" GET "/v1/deletions/$organization"
ask "$operator" GET /v1/audit/export
cp "$said" "$directory/installation.jsonl"
"$cofferdam" audit verify "$directory/installation.jsonl"

step 'the server ends'
kill -TERM "$process"
wait "$process"
trap - EXIT
# What nobody was to see is nowhere: not in what the server keeps, and not in what it said.
if grep --recursive --quiet --text "$secret" "$directory"; then
    echo "the credential lies in $(grep --recursive --files-with-matches --text "$secret" "$directory")" >&2
    exit 1
fi
printf '\nthe story is told; what it left is in %s\n' "$directory"
