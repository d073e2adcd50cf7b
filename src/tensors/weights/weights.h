#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/checkpoints/component.h"
#include "files/checkpoints/lora.h"
#include "tensors/quantization/matrix.h"
#include "tensors/tensor.h"

namespace t2v {

/// How the tensors of one component are handed out.
struct LoadOptions {
  Placement placement;
  /// Names that stay float32 when placement.dtype is lower: a tensor is kept if any dot-separated part of its
  /// full name equals one of these (the reference's _keep_in_fp32_modules).
  std::vector<std::string> keep_in_fp32;
  /// Merged, in float32, into the tensors that they change.
  std::vector<LoraMerge> loras = {};
  /// Keep the matrices of blocks as float8_e4m3fn: Weights::matrix().
  bool fp8_matrices = false;
};

/// A view of a component's named tensors under a prefix. Cheap to copy; every copy and sub-scope shares one
/// record of which tensors were asked for. Tensors already in the wanted dtype on the CPU are the mapped file
/// itself, not a copy. Threads may ask one checkpoint for tensors at once.
class Weights {
 public:
  /// The tensors of a component; no value is read here.
  static Weights open(Component component, LoadOptions options);
  /// A component's folder, as open_tensors() opens it.
  static Weights open_folder(const std::filesystem::path& folder, const std::string& base,
                             LoadOptions options);
  /// One file of tensors.
  static Weights open_file(const std::filesystem::path& file, LoadOptions options);

  /// The scope `name` below this one: weights["blocks.0"]["attn1"].
  Weights operator[](std::string_view name) const;
  /// This view with tensors that stay in the host's memory, pinned for a GPU, from their first use on: asked
  /// for again, they are only copied to the device. As it is on the CPU.
  Weights kept_on_host() const;
  /// This view with tensors that have no values (LibTorch's meta device): to check that everything is there
  /// and to count it as asked for, without reading it.
  Weights without_values() const;

  /// The tensor `name` in this scope, of exactly `shape`, in floating-point numbers. Error (kInput) with its
  /// full name if it is missing or misshaped.
  Tensor tensor(std::string_view name, at::IntArrayRef shape) const;
  /// The tensor `name` in this scope, of whatever shape.
  Tensor tensor(std::string_view name) const;
  /// The matrix `name` of exactly `shape`, as the options want it kept. Error as tensor().
  Matrix matrix(std::string_view name, at::IntArrayRef shape) const;
  /// Some rows of the matrix `name` of exactly `shape`, without loading the others. `rows`: [count] int64 on
  /// the CPU, each a row of the matrix -> [count, columns]. Error as tensor().
  Tensor rows(std::string_view name, at::IntArrayRef shape, const Tensor& rows) const;
  /// Whether the tensor `name` is in this scope. Does not count as asking for it.
  bool has(std::string_view name) const;
  /// Marks everything in this scope as asked for: parts that a configuration leaves unused (a VAE's encoder
  /// when decoding).
  void ignore() const;

  /// Error (kInput) if tensors were never asked for: the first names and how many more. Call after
  /// construction.
  void expect_all_used() const;
  const Placement& placement() const;
  /// The files behind this view, for logs and hashes.
  std::vector<std::filesystem::path> files() const;

 private:
  struct Record;
  enum class Values { kOfFile, kKeptOnHost, kNone };
  Weights(std::shared_ptr<Record> record, std::string prefix, Values values);

  /// The tensor of that full name, checked as tensor() says.
  const TensorSource& find(const std::string& full_name, at::IntArrayRef shape) const;

  std::shared_ptr<Record> record_;
  std::string prefix_;  ///< "" or ending in '.'
  Values values_;
};

/// What a stored tensor of that name is kept as when it is loaded.
at::ScalarType loaded_dtype(const std::string& name, const StoredTensor& stored, const LoadOptions& options);

}  // namespace t2v
