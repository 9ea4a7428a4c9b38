@NullMarked
package io.cairn.bhyvesim;

import org.jspecify.annotations.NullMarked;
