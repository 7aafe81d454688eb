# The layout on the other pointer width and byte layout, where a cross compiler is at hand.
foreach(target arm-linux-gnueabihf aarch64-linux-gnu)
  find_program(abi_${target}_compiler ${target}-gcc)
  if(abi_${target}_compiler)
    add_test(NAME abi_layout_${target}
             COMMAND ${abi_${target}_compiler} -std=c11 -Wall -Wextra -Wpedantic -Werror
                     -fsyntax-only -I${PROJECT_SOURCE_DIR}/plugins/sdk/include
                     ${CMAKE_CURRENT_SOURCE_DIR}/layout.c)
    set_tests_properties(abi_layout_${target} PROPERTIES LABELS abi)
  endif()
endforeach()
