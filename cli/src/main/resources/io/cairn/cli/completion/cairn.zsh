#compdef cairn
# Completion of cairn for zsh. It starts no program: names come from files in the store.
_cairn() {
  emulate -L zsh
  setopt null_glob
  local cur=${words[CURRENT]} prev=${words[CURRENT-1]} command= store= line name value file
  local -a candidates
  local i=2 nth=0

  while (( i < CURRENT )); do
    case ${words[i]} in
      --store) store=${words[i+1]}; (( i++ )) ;;
      --store=*) store=${words[i]#--store=} ;;
      --lock-wait | --color) (( i++ )) ;;
      -*) ;;
      *)
        case $command in
          '') command=${words[i]} ;;
          @GROUPS@) command=$command-${words[i]} ;;
          *) (( nth++ )) ;;
        esac
        ;;
    esac
    (( i++ ))
  done

  case $prev in
    --color) compadd auto always never; return ;;
    --store) _files -/; return ;;
    --disk | -d) return ;;
  esac

  if [[ -z $command ]]; then
    if [[ $cur == -* ]]; then
      compadd -- ${=:-@GLOBAL_OPTIONS@}
    else
      compadd -- ${=:-@COMMANDS@}
    fi
    return
  fi
  case $command in
    @GROUPS@)
      local words=
      case $command in
@GROUP_COMMANDS@
      esac
      compadd -- ${=words}
      return
      ;;
  esac

  if [[ $cur == -* ]]; then
    local words=
    case $command in
@OPTIONS@
    esac
    compadd -- ${=words}
    return
  fi

  case $command in
    state-*) _files; return ;;
    image-*) _files; return ;;
    completion) compadd bash zsh fish; return ;;
    help) compadd -- ${=:-@COMMANDS@}; return ;;
  esac

  (( nth > 0 )) && [[ $command != delete ]] && return
  [[ -n $store ]] || store=${CAIRN_STORE:-}
  for file in "${XDG_CONFIG_HOME:-$HOME/.config}/cairn/config" /etc/cairn/config; do
    if [[ -z $store && -r $file ]]; then
      while IFS='=' read -r name value; do
        [[ ${name//[[:space:]]/} == store ]] && store=${value## #}
      done <$file
    fi
  done
  if [[ -z $store ]]; then
    if (( EUID == 0 )); then store=/var/lib/cairn; else store=$HOME/.local/share/cairn; fi
  fi

  for file in $store/names/*; do
    name=${file:t}
    case $command in
      list | adopt | log | doctor | guest-show | guest-remove) candidates+=($name) ;;
      *)
        if [[ $cur != *@* ]]; then
          candidates+=($name@ $name)
        elif [[ $name == ${cur%%@*} ]]; then
          candidates+=($name@latest $name@current)
          while IFS= read -r line; do
            candidates+=($name@$line)
          done <$file
        fi
        ;;
    esac
  done
  compadd -S '' -- $candidates
}
if [[ $funcstack[1] == _cairn ]]; then
  _cairn "$@"
else
  compdef _cairn cairn
fi
