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
#include "tensors/weights/tensor_list.h"

namespace t2v {

/// How the tensors of one component are loaded.
struct LoadOptions {
  Placement placement = {};
  /// Names that stay float32 when placement.dtype is lower: a tensor is kept if any dot-separated part of its
  /// full name equals one of these (the reference's _keep_in_fp32_modules).
  std::vector<std::string> keep_in_fp32 = {};
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
  /// Weights that have every tensor, in the asked shape and without values. A network that is constructed on
  /// them writes its tensors into `list`, which has to outlive them. has() answers for `component`.
  static Weights record(TensorList& list, LoadOptions options = {},
                        Component component = {
                            .origin = "", .config = no_config(), .files = {}, .tensors = {}});

  /// The scope `name` below this one: weights["blocks.0"]["attn1"].
  Weights operator[](std::string_view name) const;
  /// This view with tensors that stay in the host's memory after their first use, pinned for a GPU. Later
  /// uses only copy them to the device. On the CPU it is the same view.
  Weights kept_on_host() const;
  /// This view with tensors without values (LibTorch's meta device): checks that a tensor exists and counts
  /// it as asked for, without reading it.
  Weights without_values() const;
  /// This view for layers that t2v does not run: their tensors have no values, may be missing, and count as
  /// asked for.
  Weights not_needed() const;

  /// The tensor `name` in this scope, of exactly `shape`, in floating-point numbers. Error (kInput) with its
  /// full name if it is missing or misshaped.
  Tensor tensor(std::string_view name, at::IntArrayRef shape) const;
  /// The tensor `name` in this scope, of any shape.
  Tensor tensor(std::string_view name) const;
  /// The matrix `name` of exactly `shape`, in the dtype of the options. Error as tensor().
  Matrix matrix(std::string_view name, at::IntArrayRef shape) const;
  /// Some rows of the matrix `name` of exactly `shape`; the others are not loaded. `rows`: [count] int64 on
  /// the CPU, numbers of rows -> [count, columns]. Error as tensor().
  Tensor rows(std::string_view name, at::IntArrayRef shape, const Tensor& rows) const;
  /// Whether the tensor `name` is in this scope. Does not count as asking for it.
  bool has(std::string_view name) const;
  /// Counts every tensor of this scope whose name begins with `prefix` as asked for: a part that is not used
  /// (a VAE's encoder when decoding), or tensors that no network has.
  void ignore(std::string_view prefix = "") const;

  /// Error (kInput) for tensors that were never asked for: the first names and the number of the others. Call
  /// it after construction.
  void expect_all_used() const;
  const Placement& placement() const;
  /// The files behind this view, for logs and hashes.
  std::vector<std::filesystem::path> files() const;

 private:
  struct Record;
  enum class Values { kOfFile, kKeptOnHost, kNone, kNotNeeded };
  Weights(std::shared_ptr<Record> record, std::string prefix, Values values);

  /// The stored tensor of a full name, checked as by tensor(). It has no file in a record, and for layers
  /// that are not needed.
  TensorSource find(const std::string& full_name, at::IntArrayRef shape) const;

  std::shared_ptr<Record> record_;
  std::string prefix_;  ///< "" or ending in '.'
  Values values_;
};

/// The dtype of a stored tensor of that name once it is loaded.
at::ScalarType loaded_dtype(const std::string& name, const StoredTensor& stored, const LoadOptions& options);

/// Bytes of a stored tensor once it is loaded, and of the tensors of a component that begin with `prefix`.
uint64_t loaded_bytes(const std::string& name, const StoredTensor& stored, const LoadOptions& options);
uint64_t loaded_bytes(const Component& component, const LoadOptions& options, std::string_view prefix = "");

}  // namespace t2v
