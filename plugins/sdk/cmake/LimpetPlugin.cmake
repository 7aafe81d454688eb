# limpet_add_plugin(name SOURCES a.c ... MANIFEST plugin.json [USES library ...])
#
# Builds the plugin <name> twice from the same sources:
#   limpet_plugin_<name>         <build>/lib/limpet/plugins/<name>.so: exports limpet_entry alone,
#                                has no undefined symbol, carries the manifest as its ELF note
#   limpet_plugin_<name>_static  object files whose entry is limpet_entry_<name>, to link into a
#                                program or a test; built only when something uses them
# Needs C among the project's languages, for the manifest. Works with gcc and clang, and when
# cross-compiling; needs no other program.

function(limpet_add_plugin name)
  cmake_parse_arguments(arg "" "MANIFEST" "SOURCES;USES" ${ARGN})
  if(NOT arg_SOURCES OR NOT arg_MANIFEST OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "limpet_add_plugin(name SOURCES ... MANIFEST plugin.json [USES ...])")
  endif()
  limpet_plugin_manifest(${name} ${arg_MANIFEST})

  set(module limpet_plugin_${name})
  add_library(${module} MODULE ${arg_SOURCES})
  limpet_plugin_target(${module} ${name} note "${arg_USES}")
  set_target_properties(${module} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/limpet/plugins
    LINK_DEPENDS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/limpet_entry.map)
  target_link_options(${module} PRIVATE -Wl,--gc-sections -Wl,--as-needed
    -Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/limpet_entry.map)
  if(NOT LIMPET_SANITIZE)  # the sanitizers' own symbols come from the program
    target_link_options(${module} PRIVATE -Wl,-z,defs -Wl,--no-undefined)
  endif()
  install(TARGETS ${module} LIBRARY DESTINATION lib/limpet/plugins)

  add_library(${module}_static OBJECT EXCLUDE_FROM_ALL ${arg_SOURCES})
  limpet_plugin_target(${module}_static ${name} static "${arg_USES}")
  target_compile_definitions(${module}_static PRIVATE LIMPET_STATIC_PLUGIN=${name})
endfunction()

# What both forms share.
function(limpet_plugin_target target name form uses)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest_${form}.c)
  target_sources(${target} PRIVATE ${object})
  set_source_files_properties(${object} PROPERTIES
    OBJECT_DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${name}.manifest.json)
  file(SIZE ${CMAKE_CURRENT_BINARY_DIR}/${name}.manifest.json size)
  target_compile_definitions(${target} PRIVATE LIMPET_MANIFEST_SIZE=${size}
    _FILE_OFFSET_BITS=64 $<$<EQUAL:${CMAKE_SIZEOF_VOID_P},4>:_TIME_BITS=64>)
  target_compile_features(${target} PRIVATE c_std_11 cxx_std_20)
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS OFF
    CXX_EXTENSIONS OFF C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(${target} PRIVATE limpet_sdk ${uses})
  if(TARGET limpet_options)  # inside Limpet's own tree: its warnings and sanitizers
    target_link_libraries(${target} PRIVATE limpet_options)
  endif()
endfunction()

# Checks the manifest, writes it without line breaks and indentation (a JSON string holds neither),
# and the two C files that carry it.
function(limpet_plugin_manifest name file)
  get_filename_component(file ${file} ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  foreach(key id version)
    string(JSON value ERROR_VARIABLE problem GET "${text}" ${key})
    if(problem OR value STREQUAL "")
      message(FATAL_ERROR "${file}: ${key}: ${problem}")
    endif()
  endforeach()
  string(REGEX REPLACE "[ \t\r]*\n[ \t\r]*" "" text "${text}")
  set(LIMPET_MANIFEST_FILE ${CMAKE_CURRENT_BINARY_DIR}/${name}.manifest.json)
  limpet_plugin_write(${LIMPET_MANIFEST_FILE} "${text}")

  set(LIMPET_MANIFEST_SYMBOL limpet_manifest)
  set(LIMPET_MANIFEST_SECTION ".note.limpet,\\\"a\\\",%note")
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/manifest.c.in
                 ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest_note.c @ONLY)
  set(LIMPET_MANIFEST_SYMBOL limpet_manifest_${name})
  set(LIMPET_MANIFEST_SECTION ".rodata.limpet_manifest_${name},\\\"a\\\",%progbits")
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/manifest.c.in
                 ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest_static.c @ONLY)
endfunction()

# Leaves a file with the same content alone, so that nothing is built again for it.
function(limpet_plugin_write file text)
  if(EXISTS ${file})
    file(READ ${file} before)
    if(before STREQUAL text)
      return()
    endif()
  endif()
  file(WRITE ${file} "${text}")
endfunction()
