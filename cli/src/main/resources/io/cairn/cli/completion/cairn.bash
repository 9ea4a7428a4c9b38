# Completion of cairn for bash. It starts no program: names come from files in the store.
_cairn() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev= line before words='' name file
  local command='' store='' i=1 nth=0

  # bash splits words at = and : and @; put the one under the cursor together again.
  line=${COMP_LINE:0:COMP_POINT}
  cur=${line##*[[:space:]]}
  before=${line%"$cur"}
  read -r -a before <<<"$before"
  prev=${before[${#before[@]}-1]}

  while [ "$i" -lt "${#before[@]}" ]; do
    case ${before[i]} in
      --store) store=${before[i+1]}; i=$((i + 1)) ;;
      --store=*) store=${before[i]#--store=} ;;
      --lock-wait | --color) i=$((i + 1)) ;;
      -*) ;;
      *)
        case $command in
          '') command=${before[i]} ;;
          @GROUPS@) command=$command-${before[i]} ;;
          *) nth=$((nth + 1)) ;;
        esac
        ;;
    esac
    i=$((i + 1))
  done

  case $prev in
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
    --store) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --disk | -d) return ;;
  esac

  if [ -z "$command" ]; then
    case $cur in
      -*) words='@GLOBAL_OPTIONS@' ;;
      *) words='@COMMANDS@' ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case $command in
    @GROUPS@)
      case $command in
@GROUP_COMMANDS@
      esac
      COMPREPLY=($(compgen -W "$words" -- "$cur"))
      return
      ;;
  esac

  case $cur in
    -*)
      case $command in
@OPTIONS@
      esac
      COMPREPLY=($(compgen -W "$words" -- "$cur"))
      return
      ;;
  esac

  case $command in
    state-*) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    image-*) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur")); return ;;
    help) COMPREPLY=($(compgen -W '@COMMANDS@' -- "$cur")); return ;;
  esac

  if [ "$nth" -gt 0 ] && [ "$command" != delete ]; then
    return
  fi
  if [ -z "$store" ]; then
    store=${CAIRN_STORE:-}
  fi
  for file in "${XDG_CONFIG_HOME:-$HOME/.config}/cairn/config" /etc/cairn/config; do
    if [ -z "$store" ] && [ -r "$file" ]; then
      while IFS='=' read -r name words; do
        case ${name//[[:space:]]/} in
          store) store=${words#"${words%%[![:space:]]*}"} ;;
        esac
      done <"$file"
    fi
  done
  if [ -z "$store" ]; then
    if [ "${EUID:-1}" = 0 ]; then store=/var/lib/cairn; else store=$HOME/.local/share/cairn; fi
  fi

  words=
  case $command in
    list | adopt | log | doctor | guest-show | guest-remove) prev=guests ;;
    *) prev=checkpoints ;;
  esac
  for file in "$store"/names/*; do
    [ -f "$file" ] || continue
    name=${file##*/}
    if [ "$prev" = guests ]; then
      words+=" $name"
    elif [ "$cur" = "${cur#*@}" ]; then
      words+=" $name@ $name"
    elif [ "$name" = "${cur%%@*}" ]; then
      words+=" $name@latest $name@current"
      while IFS= read -r line; do
        words+=" $name@$line"
      done <"$file"
    fi
  done
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  # With @ among the word breaks bash replaces only what follows it.
  case $COMP_WORDBREAKS in
    *@*)
      case $cur in
        *@*) COMPREPLY=("${COMPREPLY[@]#"${cur%@*}@"}") ;;
      esac
      ;;
  esac
}
complete -o nospace -F _cairn cairn
