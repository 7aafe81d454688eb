# Every plugin of this tree, as a file.
limpet_test(abi_file LABELS abi SOURCES file_test.cpp USES limpet_sdk ${CMAKE_DL_LIBS})
foreach(plugin template sysinfo watchdog notify)
  add_dependencies(abi_file limpet_plugin_${plugin})
  list(APPEND plugin_files "\"$<TARGET_FILE:limpet_plugin_${plugin}>\"")
endforeach()
string(REPLACE ";" "," plugin_files "${plugin_files}")
target_compile_definitions(abi_file PRIVATE "LIMPET_TEST_PLUGINS=${plugin_files}")

# The same files, through the host's eyes.
limpet_test(abi_manifest LABELS abi SOURCES manifest_test.cpp USES limpet_host)
target_compile_definitions(abi_manifest PRIVATE
                           LIMPET_TEST_PLUGIN_FOLDER="${CMAKE_BINARY_DIR}/lib/limpet/plugins")
add_dependencies(abi_manifest abi_file)
