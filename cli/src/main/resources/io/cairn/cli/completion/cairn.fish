# Completion of cairn for fish. It starts no program: names come from files in the store.
function __cairn_words
  set -l command ''
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case --store --lock-wait --color
        set skip 1
      case '-*'
      case '*'
        if test -z "$command"
          set command $word
        else if contains -- $command @GROUPS@
          set command $command-$word
        end
    end
  end
  echo $command
end

function __cairn_store
  set -l take 0
  for word in (commandline -opc)
    if test $take = 1
      echo $word
      return
    end
    switch $word
      case --store
        set take 1
      case '--store=*'
        string replace -- '--store=' '' $word
        return
    end
  end
  if test -n "$CAIRN_STORE"
    echo $CAIRN_STORE
    return
  end
  set -l config $HOME/.config
  test -n "$XDG_CONFIG_HOME"; and set config $XDG_CONFIG_HOME
  for file in $config/cairn/config /etc/cairn/config
    if test -r $file
      set -l store (string match -rg '^\s*store\s*=\s*(.*)$' <$file)
      if test -n "$store"
        echo $store[-1]
        return
      end
    end
  end
  if fish_is_root_user
    echo /var/lib/cairn
  else
    echo $HOME/.local/share/cairn
  end
end

function __cairn_options
  switch (__cairn_words)
@OPTIONS@
    case '*'
      string split ' ' -- '@GLOBAL_OPTIONS@'
  end
end

function __cairn_names
  set -l command (__cairn_words)
  switch "$command"
    case ''
      string split ' ' -- '@COMMANDS@'
      return
    case @GROUPS@
      switch "$command"
@GROUP_COMMANDS@
      end
      return
    case 'state-*'
      __fish_complete_path (commandline -ct)
      return
    case 'image-*'
      __fish_complete_path (commandline -ct)
      return
    case help
      string split ' ' -- '@COMMANDS@'
      return
    case completion
      string split ' ' -- 'bash zsh fish'
      return
  end
  for file in (__cairn_store)/names/*
    set -l name (string replace -r '.*/' '' -- $file)
    echo $name
    switch $command
      case list adopt log doctor guest-show guest-remove
      case '*'
        echo $name@latest
        echo $name@current
        while read -l line
          echo $name@$line
        end <$file
    end
  end
end

complete -c cairn -f
complete -c cairn -n 'string match -q -- "-*" (commandline -ct)' -a '(__cairn_options)'
complete -c cairn -n 'not string match -q -- "-*" (commandline -ct)' -a '(__cairn_names)'
