// limpet completion: a script for bash, to be sourced.

#include "cli/verbs.hpp"

namespace limpet::cli {

namespace {

constexpr std::string_view script = R"(_limpet() {
  local word="${COMP_WORDS[COMP_CWORD]}" verb="" index
  for ((index = 1; index < COMP_CWORD; ++index)); do
    case "${COMP_WORDS[index]}" in
      --config|--data|--socket) ((++index)) ;;
      -*) ;;
      *) verb="${COMP_WORDS[index]}"; break ;;
    esac
  done
  local globals="--config --data --socket --json --help" words=""
  case "$verb" in
    "")
      words="run check submit runs events queue dead status top plugin store doctor completion"
      words+=" --version" ;;
    runs)
      words="show resolve cancel --state --agent --limit"
      words+=" --done --retry --fail --value --reason" ;;
    plugin) words="list inspect" ;;
    store) words="info verify backup compact --rows" ;;
    doctor) words="--verify" ;;
    queue)
      words="pause resume drain add --payload --priority --delay --ttl --group --key --tenant" ;;
    dead) words="show redrive drop --queue --limit --payload --rate --all" ;;
    top) words="--rounds --interval --no-clear" ;;
    submit)
      words="--type --subject --source --id --correlation --agent --input --key --tenant"
      words+=" --idempotency-key --priority --wait --timeout" ;;
    events) words="--from --to --limit --type --subject --run --correlation --follow" ;;
  esac
  COMPREPLY=($(compgen -W "$words $globals" -- "$word"))
  case "$verb" in
    plugin|store|submit) COMPREPLY+=($(compgen -f -- "$word")) ;;
  esac
}
complete -o default -F _limpet limpet
)";

}  // namespace

Exit completion(const Context& context) {
  context.out << script;
  return Exit::ok;
}

}  // namespace limpet::cli
