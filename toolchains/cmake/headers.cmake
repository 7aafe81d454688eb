# Each header compiles alone. A generated file includes it and nothing else. Headers whose own .cpp
# stands beside them need none: tests/tidy sees to it that the .cpp includes its header first. The
# SDK's are compiled as C11 and as C++20, because plugins are written in both.
set(limpet_headers_dir ${CMAKE_CURRENT_BINARY_DIR}/headers)

# Adds to `list_name` a file of the language `extension` that includes `header` alone.
function(limpet_header_unit list_name root header extension)
  file(RELATIVE_PATH unit ${PROJECT_SOURCE_DIR} ${header})
  string(MAKE_C_IDENTIFIER ${unit} unit)
  set(unit ${limpet_headers_dir}/${unit}.${extension})
  file(RELATIVE_PATH include_path ${root} ${header})
  file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${include_path}\"\ntypedef int limpet_unit;\n")
  set(${list_name} ${${list_name}} ${unit} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE runtime_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/runtime/*.hpp)
file(GLOB_RECURSE platform_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/platform/*.hpp)
set(sdk_dir ${PROJECT_SOURCE_DIR}/plugins/sdk/include)
file(GLOB_RECURSE sdk_c_headers CONFIGURE_DEPENDS ${sdk_dir}/*.h)
file(GLOB_RECURSE sdk_cpp_headers CONFIGURE_DEPENDS ${sdk_dir}/*.hpp)

set(units "")
foreach(header IN LISTS runtime_headers)
  string(REGEX REPLACE "hpp$" "cpp" own_source ${header})
  if(EXISTS ${own_source})
    continue()
  endif()
  limpet_header_unit(units ${PROJECT_SOURCE_DIR}/runtime ${header} cpp)
endforeach()
foreach(header IN LISTS platform_headers)
  string(REGEX REPLACE "/([a-z0-9_]+)[.]hpp$" "/linux/\\1.cpp" own_source ${header})
  if(EXISTS ${own_source})
    continue()
  endif()
  limpet_header_unit(units ${PROJECT_SOURCE_DIR} ${header} cpp)
endforeach()
foreach(header IN LISTS sdk_c_headers)
  limpet_header_unit(units ${sdk_dir} ${header} c)
endforeach()
foreach(header IN LISTS sdk_c_headers sdk_cpp_headers)
  limpet_header_unit(units ${sdk_dir} ${header} cpp)
endforeach()

add_library(limpet_headers OBJECT ${units})
target_include_directories(limpet_headers PRIVATE ${sdk_dir})
target_link_libraries(limpet_headers PRIVATE limpet_options)
# These objects are never linked, so nothing is gained by optimising them or describing their lines.
target_compile_options(limpet_headers PRIVATE -O0 -g0 -Wno-unused)
