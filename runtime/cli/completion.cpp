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
  local globals="--config --data --socket --json --help"
  case "$verb" in
    "") COMPREPLY=($(compgen -W "run check submit runs events status plugin completion --version $globals" -- "$word")) ;;
    runs) COMPREPLY=($(compgen -W "show resolve cancel --state --agent --limit --done --retry --fail --value --reason $globals" -- "$word")) ;;
    plugin) COMPREPLY=($(compgen -W "list inspect $globals" -- "$word") $(compgen -f -- "$word")) ;;
    submit) COMPREPLY=($(compgen -W "--type --subject --source --id --correlation --agent --input --key --tenant --idempotency-key --priority --wait --timeout $globals" -- "$word") $(compgen -f -- "$word")) ;;
    events) COMPREPLY=($(compgen -W "--from --to --limit --type --subject --run --correlation --follow $globals" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$globals" -- "$word")) ;;
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
